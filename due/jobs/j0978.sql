-- output: tables/t0978
-- schedule: "* * * * *"
select 978 as n
