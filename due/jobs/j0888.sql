-- output: tables/t0888
-- schedule: "* * * * *"
select 888 as n
