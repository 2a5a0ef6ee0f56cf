-- output: tables/t0670
-- schedule: "* * * * *"
select 670 as n
