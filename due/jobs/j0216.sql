-- output: tables/t0216
-- schedule: "* * * * *"
select 216 as n
