-- output: tables/t0877
-- schedule: "* * * * *"
select 877 as n
