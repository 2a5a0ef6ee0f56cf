-- output: tables/t0928
-- schedule: "* * * * *"
select 928 as n
