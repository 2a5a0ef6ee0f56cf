-- output: tables/t0177
-- schedule: "* * * * *"
select 177 as n
