-- output: tables/t0874
-- schedule: "* * * * *"
select 874 as n
