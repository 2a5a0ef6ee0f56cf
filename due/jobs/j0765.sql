-- output: tables/t0765
-- schedule: "* * * * *"
select 765 as n
