-- output: tables/t0527
-- schedule: "* * * * *"
select 527 as n
