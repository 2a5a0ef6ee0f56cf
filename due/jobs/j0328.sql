-- output: tables/t0328
-- schedule: "* * * * *"
select 328 as n
