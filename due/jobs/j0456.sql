-- output: tables/t0456
-- schedule: "* * * * *"
select 456 as n
