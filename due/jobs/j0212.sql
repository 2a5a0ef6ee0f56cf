-- output: tables/t0212
-- schedule: "* * * * *"
select 212 as n
