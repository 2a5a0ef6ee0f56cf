-- output: tables/t0751
-- schedule: "* * * * *"
select 751 as n
