-- output: tables/t0641
-- schedule: "* * * * *"
select 641 as n
