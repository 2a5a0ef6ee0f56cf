-- output: tables/t0425
-- schedule: "* * * * *"
select 425 as n
