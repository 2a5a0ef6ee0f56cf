-- output: tables/t0116
-- schedule: "* * * * *"
select 116 as n
