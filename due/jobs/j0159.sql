-- output: tables/t0159
-- schedule: "* * * * *"
select 159 as n
