-- output: tables/t0865
-- schedule: "* * * * *"
select 865 as n
