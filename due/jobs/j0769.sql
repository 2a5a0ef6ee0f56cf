-- output: tables/t0769
-- schedule: "* * * * *"
select 769 as n
