-- output: tables/t0587
-- schedule: "* * * * *"
select 587 as n
