-- output: tables/t0635
-- schedule: "* * * * *"
select 635 as n
