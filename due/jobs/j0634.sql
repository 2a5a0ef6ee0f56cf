-- output: tables/t0634
-- schedule: "* * * * *"
select 634 as n
