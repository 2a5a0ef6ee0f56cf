-- output: tables/t0966
-- schedule: "* * * * *"
select 966 as n
