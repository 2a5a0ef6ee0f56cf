-- output: tables/t0250
-- schedule: "* * * * *"
select 250 as n
