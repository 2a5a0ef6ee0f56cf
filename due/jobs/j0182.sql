-- output: tables/t0182
-- schedule: "* * * * *"
select 182 as n
