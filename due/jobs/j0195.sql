-- output: tables/t0195
-- schedule: "* * * * *"
select 195 as n
