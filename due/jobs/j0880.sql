-- output: tables/t0880
-- schedule: "* * * * *"
select 880 as n
