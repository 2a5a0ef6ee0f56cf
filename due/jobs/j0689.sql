-- output: tables/t0689
-- schedule: "* * * * *"
select 689 as n
