-- output: tables/t0833
-- schedule: "* * * * *"
select 833 as n
