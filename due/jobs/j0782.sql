-- output: tables/t0782
-- schedule: "* * * * *"
select 782 as n
