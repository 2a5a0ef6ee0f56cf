-- output: tables/t0143
-- schedule: "* * * * *"
select 143 as n
