-- output: tables/t0155
-- schedule: "* * * * *"
select 155 as n
