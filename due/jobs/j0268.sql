-- output: tables/t0268
-- schedule: "* * * * *"
select 268 as n
