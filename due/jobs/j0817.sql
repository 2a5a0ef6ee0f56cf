-- output: tables/t0817
-- schedule: "* * * * *"
select 817 as n
