-- output: tables/t0029
-- schedule: "* * * * *"
select 29 as n
