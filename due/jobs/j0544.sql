-- output: tables/t0544
-- schedule: "* * * * *"
select 544 as n
