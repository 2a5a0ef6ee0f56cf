-- output: tables/t0964
-- schedule: "* * * * *"
select 964 as n
