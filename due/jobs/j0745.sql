-- output: tables/t0745
-- schedule: "* * * * *"
select 745 as n
