-- output: tables/t0709
-- schedule: "* * * * *"
select 709 as n
