-- output: tables/t0642
-- schedule: "* * * * *"
select 642 as n
