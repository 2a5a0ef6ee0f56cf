-- output: tables/t0567
-- schedule: "* * * * *"
select 567 as n
