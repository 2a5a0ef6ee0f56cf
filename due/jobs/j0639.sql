-- output: tables/t0639
-- schedule: "* * * * *"
select 639 as n
