-- output: tables/t0173
-- schedule: "* * * * *"
select 173 as n
