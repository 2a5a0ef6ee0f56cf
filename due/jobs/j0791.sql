-- output: tables/t0791
-- schedule: "* * * * *"
select 791 as n
