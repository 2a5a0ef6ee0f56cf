-- output: tables/t0794
-- schedule: "* * * * *"
select 794 as n
