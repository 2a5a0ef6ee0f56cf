-- output: tables/t0767
-- schedule: "* * * * *"
select 767 as n
