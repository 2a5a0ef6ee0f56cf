-- output: tables/t0625
-- schedule: "* * * * *"
select 625 as n
