-- output: tables/t0135
-- schedule: "* * * * *"
select 135 as n
