-- output: tables/t0126
-- schedule: "* * * * *"
select 126 as n
