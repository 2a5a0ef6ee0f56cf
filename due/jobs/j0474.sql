-- output: tables/t0474
-- schedule: "* * * * *"
select 474 as n
