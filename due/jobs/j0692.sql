-- output: tables/t0692
-- schedule: "* * * * *"
select 692 as n
