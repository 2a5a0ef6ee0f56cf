-- output: tables/t0688
-- schedule: "* * * * *"
select 688 as n
