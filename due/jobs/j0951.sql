-- output: tables/t0951
-- schedule: "* * * * *"
select 951 as n
