-- output: tables/t0850
-- schedule: "* * * * *"
select 850 as n
