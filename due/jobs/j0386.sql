-- output: tables/t0386
-- schedule: "* * * * *"
select 386 as n
