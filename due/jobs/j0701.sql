-- output: tables/t0701
-- schedule: "* * * * *"
select 701 as n
