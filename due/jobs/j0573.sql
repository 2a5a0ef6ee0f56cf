-- output: tables/t0573
-- schedule: "* * * * *"
select 573 as n
