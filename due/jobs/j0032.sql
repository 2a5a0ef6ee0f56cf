-- output: tables/t0032
-- schedule: "* * * * *"
select 32 as n
