-- output: tables/t0864
-- schedule: "* * * * *"
select 864 as n
