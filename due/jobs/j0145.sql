-- output: tables/t0145
-- schedule: "* * * * *"
select 145 as n
