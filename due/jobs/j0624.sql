-- output: tables/t0624
-- schedule: "* * * * *"
select 624 as n
