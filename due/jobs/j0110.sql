-- output: tables/t0110
-- schedule: "* * * * *"
select 110 as n
