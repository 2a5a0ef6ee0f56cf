-- output: tables/t0674
-- schedule: "* * * * *"
select 674 as n
