-- output: tables/t0574
-- schedule: "* * * * *"
select 574 as n
