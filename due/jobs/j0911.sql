-- output: tables/t0911
-- schedule: "* * * * *"
select 911 as n
