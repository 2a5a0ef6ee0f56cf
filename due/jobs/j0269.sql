-- output: tables/t0269
-- schedule: "* * * * *"
select 269 as n
