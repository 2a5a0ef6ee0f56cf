-- output: tables/t0053
-- schedule: "* * * * *"
select 53 as n
