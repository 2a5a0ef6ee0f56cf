-- output: tables/t0673
-- schedule: "* * * * *"
select 673 as n
