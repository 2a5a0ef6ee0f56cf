-- output: tables/t0291
-- schedule: "* * * * *"
select 291 as n
