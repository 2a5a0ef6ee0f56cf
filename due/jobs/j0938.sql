-- output: tables/t0938
-- schedule: "* * * * *"
select 938 as n
