-- output: tables/t0279
-- schedule: "* * * * *"
select 279 as n
