-- output: tables/t0459
-- schedule: "* * * * *"
select 459 as n
