-- output: tables/t0844
-- schedule: "* * * * *"
select 844 as n
