-- output: tables/t0546
-- schedule: "* * * * *"
select 546 as n
