-- output: tables/t0803
-- schedule: "* * * * *"
select 803 as n
