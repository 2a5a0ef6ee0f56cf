-- output: tables/t0965
-- schedule: "* * * * *"
select 965 as n
