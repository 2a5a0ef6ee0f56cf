-- output: tables/t0231
-- schedule: "* * * * *"
select 231 as n
