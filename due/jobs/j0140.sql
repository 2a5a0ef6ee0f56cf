-- output: tables/t0140
-- schedule: "* * * * *"
select 140 as n
