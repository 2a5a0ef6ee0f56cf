-- output: tables/t0604
-- schedule: "* * * * *"
select 604 as n
