-- output: tables/t0748
-- schedule: "* * * * *"
select 748 as n
