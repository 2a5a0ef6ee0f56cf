-- output: tables/t0643
-- schedule: "* * * * *"
select 643 as n
