-- output: tables/t0591
-- schedule: "* * * * *"
select 591 as n
