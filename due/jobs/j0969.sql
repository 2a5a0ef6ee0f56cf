-- output: tables/t0969
-- schedule: "* * * * *"
select 969 as n
