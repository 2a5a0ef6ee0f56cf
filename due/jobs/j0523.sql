-- output: tables/t0523
-- schedule: "* * * * *"
select 523 as n
