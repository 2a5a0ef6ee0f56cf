-- output: tables/t0233
-- schedule: "* * * * *"
select 233 as n
