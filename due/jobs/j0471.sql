-- output: tables/t0471
-- schedule: "* * * * *"
select 471 as n
