-- output: tables/t0662
-- schedule: "* * * * *"
select 662 as n
