-- output: tables/t0376
-- schedule: "* * * * *"
select 376 as n
