-- output: tables/t0649
-- schedule: "* * * * *"
select 649 as n
