-- output: tables/t0960
-- schedule: "* * * * *"
select 960 as n
