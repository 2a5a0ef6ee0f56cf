-- output: tables/t0397
-- schedule: "* * * * *"
select 397 as n
