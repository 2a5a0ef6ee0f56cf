-- output: tables/t0671
-- schedule: "* * * * *"
select 671 as n
