-- output: tables/t0608
-- schedule: "* * * * *"
select 608 as n
