-- output: tables/t0476
-- schedule: "* * * * *"
select 476 as n
