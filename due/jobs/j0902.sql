-- output: tables/t0902
-- schedule: "* * * * *"
select 902 as n
