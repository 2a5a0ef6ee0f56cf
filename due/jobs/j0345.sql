-- output: tables/t0345
-- schedule: "* * * * *"
select 345 as n
