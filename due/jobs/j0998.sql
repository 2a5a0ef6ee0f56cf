-- output: tables/t0998
-- schedule: "* * * * *"
select 998 as n
