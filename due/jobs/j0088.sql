-- output: tables/t0088
-- schedule: "* * * * *"
select 88 as n
