-- output: tables/t0409
-- schedule: "* * * * *"
select 409 as n
