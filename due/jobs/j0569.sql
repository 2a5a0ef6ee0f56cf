-- output: tables/t0569
-- schedule: "* * * * *"
select 569 as n
