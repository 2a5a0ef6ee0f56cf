-- output: tables/t0678
-- schedule: "* * * * *"
select 678 as n
