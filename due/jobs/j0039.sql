-- output: tables/t0039
-- schedule: "* * * * *"
select 39 as n
