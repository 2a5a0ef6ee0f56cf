-- output: tables/t0384
-- schedule: "* * * * *"
select 384 as n
