-- output: tables/t0580
-- schedule: "* * * * *"
select 580 as n
