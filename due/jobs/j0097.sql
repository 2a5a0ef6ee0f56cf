-- output: tables/t0097
-- schedule: "* * * * *"
select 97 as n
