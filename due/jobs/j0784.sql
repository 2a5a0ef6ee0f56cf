-- output: tables/t0784
-- schedule: "* * * * *"
select 784 as n
