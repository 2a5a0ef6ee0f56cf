-- output: tables/t0479
-- schedule: "* * * * *"
select 479 as n
