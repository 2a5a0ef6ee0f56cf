-- output: tables/t0205
-- schedule: "* * * * *"
select 205 as n
