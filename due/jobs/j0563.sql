-- output: tables/t0563
-- schedule: "* * * * *"
select 563 as n
