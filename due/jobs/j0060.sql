-- output: tables/t0060
-- schedule: "* * * * *"
select 60 as n
