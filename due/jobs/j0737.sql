-- output: tables/t0737
-- schedule: "* * * * *"
select 737 as n
