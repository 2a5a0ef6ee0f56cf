-- output: tables/t0457
-- schedule: "* * * * *"
select 457 as n
