-- output: tables/t0614
-- schedule: "* * * * *"
select 614 as n
