-- output: tables/t0422
-- schedule: "* * * * *"
select 422 as n
