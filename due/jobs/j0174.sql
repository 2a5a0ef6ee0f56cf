-- output: tables/t0174
-- schedule: "* * * * *"
select 174 as n
