-- output: tables/t0963
-- schedule: "* * * * *"
select 963 as n
