-- output: tables/t0134
-- schedule: "* * * * *"
select 134 as n
