-- output: tables/t0638
-- schedule: "* * * * *"
select 638 as n
