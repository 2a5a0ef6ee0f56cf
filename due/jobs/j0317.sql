-- output: tables/t0317
-- schedule: "* * * * *"
select 317 as n
