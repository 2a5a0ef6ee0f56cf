-- output: tables/t0500
-- schedule: "* * * * *"
select 500 as n
