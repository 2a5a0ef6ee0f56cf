-- output: tables/t0631
-- schedule: "* * * * *"
select 631 as n
