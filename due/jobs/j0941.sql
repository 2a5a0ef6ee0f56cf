-- output: tables/t0941
-- schedule: "* * * * *"
select 941 as n
