-- output: tables/t0161
-- schedule: "* * * * *"
select 161 as n
