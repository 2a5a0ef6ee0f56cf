-- output: tables/t0776
-- schedule: "* * * * *"
select 776 as n
