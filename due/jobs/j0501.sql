-- output: tables/t0501
-- schedule: "* * * * *"
select 501 as n
