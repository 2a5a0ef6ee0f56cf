-- output: tables/t0971
-- schedule: "* * * * *"
select 971 as n
