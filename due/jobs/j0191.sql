-- output: tables/t0191
-- schedule: "* * * * *"
select 191 as n
