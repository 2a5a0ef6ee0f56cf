-- output: tables/t0146
-- schedule: "* * * * *"
select 146 as n
