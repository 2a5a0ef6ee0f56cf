-- output: tables/t0590
-- schedule: "* * * * *"
select 590 as n
