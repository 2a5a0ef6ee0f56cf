-- output: tables/t0835
-- schedule: "* * * * *"
select 835 as n
