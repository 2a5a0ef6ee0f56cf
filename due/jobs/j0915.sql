-- output: tables/t0915
-- schedule: "* * * * *"
select 915 as n
