-- output: tables/t0118
-- schedule: "* * * * *"
select 118 as n
