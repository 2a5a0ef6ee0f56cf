-- output: tables/t0832
-- schedule: "* * * * *"
select 832 as n
