-- output: tables/t0947
-- schedule: "* * * * *"
select 947 as n
