-- output: tables/t0042
-- schedule: "* * * * *"
select 42 as n
