-- output: tables/t0818
-- schedule: "* * * * *"
select 818 as n
