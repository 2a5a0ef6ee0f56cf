-- output: tables/t0967
-- schedule: "* * * * *"
select 967 as n
