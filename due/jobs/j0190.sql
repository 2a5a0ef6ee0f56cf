-- output: tables/t0190
-- schedule: "* * * * *"
select 190 as n
