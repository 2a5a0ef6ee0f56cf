-- output: tables/t0389
-- schedule: "* * * * *"
select 389 as n
