-- output: tables/t0792
-- schedule: "* * * * *"
select 792 as n
