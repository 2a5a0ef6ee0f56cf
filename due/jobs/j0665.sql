-- output: tables/t0665
-- schedule: "* * * * *"
select 665 as n
