-- output: tables/t0037
-- schedule: "* * * * *"
select 37 as n
