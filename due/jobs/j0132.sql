-- output: tables/t0132
-- schedule: "* * * * *"
select 132 as n
