-- output: tables/t0891
-- schedule: "* * * * *"
select 891 as n
