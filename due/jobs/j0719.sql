-- output: tables/t0719
-- schedule: "* * * * *"
select 719 as n
