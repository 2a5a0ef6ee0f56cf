-- output: tables/t0838
-- schedule: "* * * * *"
select 838 as n
