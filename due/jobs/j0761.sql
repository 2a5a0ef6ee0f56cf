-- output: tables/t0761
-- schedule: "* * * * *"
select 761 as n
