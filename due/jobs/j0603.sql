-- output: tables/t0603
-- schedule: "* * * * *"
select 603 as n
