-- output: tables/t0830
-- schedule: "* * * * *"
select 830 as n
