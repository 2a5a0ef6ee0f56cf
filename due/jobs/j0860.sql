-- output: tables/t0860
-- schedule: "* * * * *"
select 860 as n
