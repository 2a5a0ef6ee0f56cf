-- output: tables/t0863
-- schedule: "* * * * *"
select 863 as n
