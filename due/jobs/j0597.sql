-- output: tables/t0597
-- schedule: "* * * * *"
select 597 as n
