-- output: tables/t0676
-- schedule: "* * * * *"
select 676 as n
