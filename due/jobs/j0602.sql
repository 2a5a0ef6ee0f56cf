-- output: tables/t0602
-- schedule: "* * * * *"
select 602 as n
