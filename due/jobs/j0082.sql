-- output: tables/t0082
-- schedule: "* * * * *"
select 82 as n
