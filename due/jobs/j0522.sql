-- output: tables/t0522
-- schedule: "* * * * *"
select 522 as n
