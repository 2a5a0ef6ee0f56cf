-- output: tables/t0469
-- schedule: "* * * * *"
select 469 as n
