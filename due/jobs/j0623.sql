-- output: tables/t0623
-- schedule: "* * * * *"
select 623 as n
