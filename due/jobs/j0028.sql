-- output: tables/t0028
-- schedule: "* * * * *"
select 28 as n
