-- output: tables/t0753
-- schedule: "* * * * *"
select 753 as n
