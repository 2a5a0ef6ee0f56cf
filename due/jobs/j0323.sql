-- output: tables/t0323
-- schedule: "* * * * *"
select 323 as n
