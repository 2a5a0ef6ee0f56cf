-- output: tables/t0545
-- schedule: "* * * * *"
select 545 as n
