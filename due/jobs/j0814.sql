-- output: tables/t0814
-- schedule: "* * * * *"
select 814 as n
