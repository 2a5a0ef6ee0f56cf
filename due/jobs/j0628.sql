-- output: tables/t0628
-- schedule: "* * * * *"
select 628 as n
