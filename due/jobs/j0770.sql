-- output: tables/t0770
-- schedule: "* * * * *"
select 770 as n
