-- output: tables/t0946
-- schedule: "* * * * *"
select 946 as n
