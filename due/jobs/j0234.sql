-- output: tables/t0234
-- schedule: "* * * * *"
select 234 as n
