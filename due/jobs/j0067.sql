-- output: tables/t0067
-- schedule: "* * * * *"
select 67 as n
