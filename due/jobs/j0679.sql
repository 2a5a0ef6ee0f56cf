-- output: tables/t0679
-- schedule: "* * * * *"
select 679 as n
