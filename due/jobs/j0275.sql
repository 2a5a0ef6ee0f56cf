-- output: tables/t0275
-- schedule: "* * * * *"
select 275 as n
