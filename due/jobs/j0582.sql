-- output: tables/t0582
-- schedule: "* * * * *"
select 582 as n
