-- output: tables/t0091
-- schedule: "* * * * *"
select 91 as n
