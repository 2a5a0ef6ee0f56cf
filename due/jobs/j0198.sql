-- output: tables/t0198
-- schedule: "* * * * *"
select 198 as n
