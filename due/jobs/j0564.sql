-- output: tables/t0564
-- schedule: "* * * * *"
select 564 as n
