-- output: tables/t0785
-- schedule: "* * * * *"
select 785 as n
