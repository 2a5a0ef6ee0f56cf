-- output: tables/t0337
-- schedule: "* * * * *"
select 337 as n
