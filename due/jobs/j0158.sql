-- output: tables/t0158
-- schedule: "* * * * *"
select 158 as n
