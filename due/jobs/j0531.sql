-- output: tables/t0531
-- schedule: "* * * * *"
select 531 as n
