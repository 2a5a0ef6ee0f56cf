-- output: tables/t0105
-- schedule: "* * * * *"
select 105 as n
