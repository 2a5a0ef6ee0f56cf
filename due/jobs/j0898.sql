-- output: tables/t0898
-- schedule: "* * * * *"
select 898 as n
