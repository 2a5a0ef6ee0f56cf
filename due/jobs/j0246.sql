-- output: tables/t0246
-- schedule: "* * * * *"
select 246 as n
