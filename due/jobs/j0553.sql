-- output: tables/t0553
-- schedule: "* * * * *"
select 553 as n
