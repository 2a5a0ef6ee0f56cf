-- output: tables/t0740
-- schedule: "* * * * *"
select 740 as n
