-- output: tables/t0225
-- schedule: "* * * * *"
select 225 as n
