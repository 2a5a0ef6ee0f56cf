-- output: tables/t0487
-- schedule: "* * * * *"
select 487 as n
