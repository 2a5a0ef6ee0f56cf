-- output: tables/t0694
-- schedule: "* * * * *"
select 694 as n
