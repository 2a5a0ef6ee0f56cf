-- output: tables/t0645
-- schedule: "* * * * *"
select 645 as n
