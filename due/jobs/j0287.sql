-- output: tables/t0287
-- schedule: "* * * * *"
select 287 as n
