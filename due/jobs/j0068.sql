-- output: tables/t0068
-- schedule: "* * * * *"
select 68 as n
