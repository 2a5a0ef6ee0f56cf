-- output: tables/t0080
-- schedule: "* * * * *"
select 80 as n
