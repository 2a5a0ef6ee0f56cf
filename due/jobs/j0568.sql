-- output: tables/t0568
-- schedule: "* * * * *"
select 568 as n
