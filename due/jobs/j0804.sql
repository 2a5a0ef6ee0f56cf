-- output: tables/t0804
-- schedule: "* * * * *"
select 804 as n
