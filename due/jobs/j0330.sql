-- output: tables/t0330
-- schedule: "* * * * *"
select 330 as n
