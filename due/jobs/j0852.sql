-- output: tables/t0852
-- schedule: "* * * * *"
select 852 as n
