-- output: tables/t0484
-- schedule: "* * * * *"
select 484 as n
