-- output: tables/t0834
-- schedule: "* * * * *"
select 834 as n
