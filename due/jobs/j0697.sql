-- output: tables/t0697
-- schedule: "* * * * *"
select 697 as n
