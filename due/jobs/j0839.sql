-- output: tables/t0839
-- schedule: "* * * * *"
select 839 as n
