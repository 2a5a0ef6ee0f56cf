-- output: tables/t0777
-- schedule: "* * * * *"
select 777 as n
