-- output: tables/t0653
-- schedule: "* * * * *"
select 653 as n
