-- output: tables/t0197
-- schedule: "* * * * *"
select 197 as n
