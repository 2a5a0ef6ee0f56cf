-- output: tables/t0654
-- schedule: "* * * * *"
select 654 as n
