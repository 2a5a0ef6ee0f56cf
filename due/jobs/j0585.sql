-- output: tables/t0585
-- schedule: "* * * * *"
select 585 as n
