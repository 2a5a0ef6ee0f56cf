-- output: tables/t0664
-- schedule: "* * * * *"
select 664 as n
