-- output: tables/t0518
-- schedule: "* * * * *"
select 518 as n
