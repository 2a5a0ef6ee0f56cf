-- output: tables/t0206
-- schedule: "* * * * *"
select 206 as n
