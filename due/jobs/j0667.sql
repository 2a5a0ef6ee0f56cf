-- output: tables/t0667
-- schedule: "* * * * *"
select 667 as n
