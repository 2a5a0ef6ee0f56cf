-- output: tables/t0114
-- schedule: "* * * * *"
select 114 as n
