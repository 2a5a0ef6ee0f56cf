-- output: tables/t0661
-- schedule: "* * * * *"
select 661 as n
