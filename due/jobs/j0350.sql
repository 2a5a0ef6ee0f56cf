-- output: tables/t0350
-- schedule: "* * * * *"
select 350 as n
