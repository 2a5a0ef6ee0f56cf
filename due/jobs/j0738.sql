-- output: tables/t0738
-- schedule: "* * * * *"
select 738 as n
