-- output: tables/t0470
-- schedule: "* * * * *"
select 470 as n
