-- output: tables/t0153
-- schedule: "* * * * *"
select 153 as n
