-- output: tables/t0149
-- schedule: "* * * * *"
select 149 as n
