-- output: tables/t0690
-- schedule: "* * * * *"
select 690 as n
