-- output: tables/t0133
-- schedule: "* * * * *"
select 133 as n
