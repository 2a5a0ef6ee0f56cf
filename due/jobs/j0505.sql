-- output: tables/t0505
-- schedule: "* * * * *"
select 505 as n
