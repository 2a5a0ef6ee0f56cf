-- output: tables/t0200
-- schedule: "* * * * *"
select 200 as n
