-- output: tables/t0780
-- schedule: "* * * * *"
select 780 as n
