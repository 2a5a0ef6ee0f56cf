-- output: tables/t0507
-- schedule: "* * * * *"
select 507 as n
