-- output: tables/t0141
-- schedule: "* * * * *"
select 141 as n
