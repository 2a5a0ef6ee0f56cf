-- output: tables/t0910
-- schedule: "* * * * *"
select 910 as n
