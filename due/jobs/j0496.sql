-- output: tables/t0496
-- schedule: "* * * * *"
select 496 as n
