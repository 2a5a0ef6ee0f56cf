-- output: tables/t0245
-- schedule: "* * * * *"
select 245 as n
