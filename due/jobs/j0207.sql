-- output: tables/t0207
-- schedule: "* * * * *"
select 207 as n
