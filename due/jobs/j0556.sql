-- output: tables/t0556
-- schedule: "* * * * *"
select 556 as n
