-- output: tables/t0513
-- schedule: "* * * * *"
select 513 as n
