-- output: tables/t0932
-- schedule: "* * * * *"
select 932 as n
