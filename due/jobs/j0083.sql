-- output: tables/t0083
-- schedule: "* * * * *"
select 83 as n
