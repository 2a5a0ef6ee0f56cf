-- output: tables/t0721
-- schedule: "* * * * *"
select 721 as n
