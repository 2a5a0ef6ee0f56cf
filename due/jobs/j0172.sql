-- output: tables/t0172
-- schedule: "* * * * *"
select 172 as n
