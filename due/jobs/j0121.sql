-- output: tables/t0121
-- schedule: "* * * * *"
select 121 as n
