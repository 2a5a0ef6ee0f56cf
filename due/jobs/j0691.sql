-- output: tables/t0691
-- schedule: "* * * * *"
select 691 as n
