-- output: tables/t0666
-- schedule: "* * * * *"
select 666 as n
