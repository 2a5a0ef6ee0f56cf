-- output: tables/t0047
-- schedule: "* * * * *"
select 47 as n
