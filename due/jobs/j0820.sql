-- output: tables/t0820
-- schedule: "* * * * *"
select 820 as n
