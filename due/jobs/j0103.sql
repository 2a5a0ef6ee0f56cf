-- output: tables/t0103
-- schedule: "* * * * *"
select 103 as n
