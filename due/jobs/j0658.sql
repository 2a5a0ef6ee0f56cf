-- output: tables/t0658
-- schedule: "* * * * *"
select 658 as n
