-- output: tables/t0926
-- schedule: "* * * * *"
select 926 as n
