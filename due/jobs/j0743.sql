-- output: tables/t0743
-- schedule: "* * * * *"
select 743 as n
