-- output: tables/t0148
-- schedule: "* * * * *"
select 148 as n
