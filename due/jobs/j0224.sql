-- output: tables/t0224
-- schedule: "* * * * *"
select 224 as n
