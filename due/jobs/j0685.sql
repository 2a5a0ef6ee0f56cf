-- output: tables/t0685
-- schedule: "* * * * *"
select 685 as n
