-- output: tables/t0043
-- schedule: "* * * * *"
select 43 as n
