-- output: tables/t0069
-- schedule: "* * * * *"
select 69 as n
