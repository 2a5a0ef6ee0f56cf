-- output: tables/t0781
-- schedule: "* * * * *"
select 781 as n
