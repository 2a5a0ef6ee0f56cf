-- output: tables/t0303
-- schedule: "* * * * *"
select 303 as n
