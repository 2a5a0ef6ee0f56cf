-- output: tables/t0267
-- schedule: "* * * * *"
select 267 as n
