-- output: tables/t0419
-- schedule: "* * * * *"
select 419 as n
