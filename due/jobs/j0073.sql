-- output: tables/t0073
-- schedule: "* * * * *"
select 73 as n
