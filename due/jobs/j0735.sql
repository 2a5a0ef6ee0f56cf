-- output: tables/t0735
-- schedule: "* * * * *"
select 735 as n
