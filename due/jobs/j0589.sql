-- output: tables/t0589
-- schedule: "* * * * *"
select 589 as n
