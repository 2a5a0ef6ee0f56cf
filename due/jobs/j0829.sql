-- output: tables/t0829
-- schedule: "* * * * *"
select 829 as n
