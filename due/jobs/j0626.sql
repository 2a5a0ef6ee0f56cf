-- output: tables/t0626
-- schedule: "* * * * *"
select 626 as n
