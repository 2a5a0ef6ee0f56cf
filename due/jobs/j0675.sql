-- output: tables/t0675
-- schedule: "* * * * *"
select 675 as n
