-- output: tables/t0945
-- schedule: "* * * * *"
select 945 as n
