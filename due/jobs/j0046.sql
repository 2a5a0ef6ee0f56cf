-- output: tables/t0046
-- schedule: "* * * * *"
select 46 as n
