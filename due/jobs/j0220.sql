-- output: tables/t0220
-- schedule: "* * * * *"
select 220 as n
