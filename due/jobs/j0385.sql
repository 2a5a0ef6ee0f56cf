-- output: tables/t0385
-- schedule: "* * * * *"
select 385 as n
