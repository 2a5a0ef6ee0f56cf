-- output: tables/t0836
-- schedule: "* * * * *"
select 836 as n
