-- output: tables/t0805
-- schedule: "* * * * *"
select 805 as n
