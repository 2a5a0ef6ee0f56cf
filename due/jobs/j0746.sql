-- output: tables/t0746
-- schedule: "* * * * *"
select 746 as n
