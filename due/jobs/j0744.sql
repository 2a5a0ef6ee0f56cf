-- output: tables/t0744
-- schedule: "* * * * *"
select 744 as n
