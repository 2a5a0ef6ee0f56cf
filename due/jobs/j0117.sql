-- output: tables/t0117
-- schedule: "* * * * *"
select 117 as n
