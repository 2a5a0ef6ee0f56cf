-- output: tables/t0274
-- schedule: "* * * * *"
select 274 as n
