-- output: tables/t0313
-- schedule: "* * * * *"
select 313 as n
