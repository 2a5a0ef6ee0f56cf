-- output: tables/t0371
-- schedule: "* * * * *"
select 371 as n
