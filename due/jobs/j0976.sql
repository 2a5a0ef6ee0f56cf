-- output: tables/t0976
-- schedule: "* * * * *"
select 976 as n
