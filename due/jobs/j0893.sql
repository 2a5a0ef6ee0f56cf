-- output: tables/t0893
-- schedule: "* * * * *"
select 893 as n
