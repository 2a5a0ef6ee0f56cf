-- output: tables/t0412
-- schedule: "* * * * *"
select 412 as n
