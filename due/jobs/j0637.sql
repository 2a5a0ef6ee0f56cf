-- output: tables/t0637
-- schedule: "* * * * *"
select 637 as n
