-- output: tables/t0908
-- schedule: "* * * * *"
select 908 as n
