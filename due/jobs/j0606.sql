-- output: tables/t0606
-- schedule: "* * * * *"
select 606 as n
