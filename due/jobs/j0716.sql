-- output: tables/t0716
-- schedule: "* * * * *"
select 716 as n
