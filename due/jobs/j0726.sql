-- output: tables/t0726
-- schedule: "* * * * *"
select 726 as n
