-- output: tables/t0138
-- schedule: "* * * * *"
select 138 as n
