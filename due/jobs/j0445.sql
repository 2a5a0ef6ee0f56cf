-- output: tables/t0445
-- schedule: "* * * * *"
select 445 as n
