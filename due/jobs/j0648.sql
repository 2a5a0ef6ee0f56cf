-- output: tables/t0648
-- schedule: "* * * * *"
select 648 as n
