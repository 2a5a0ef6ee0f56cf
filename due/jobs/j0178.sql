-- output: tables/t0178
-- schedule: "* * * * *"
select 178 as n
