-- output: tables/t0455
-- schedule: "* * * * *"
select 455 as n
