-- output: tables/t0364
-- schedule: "* * * * *"
select 364 as n
