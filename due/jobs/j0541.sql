-- output: tables/t0541
-- schedule: "* * * * *"
select 541 as n
