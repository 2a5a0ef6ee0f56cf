-- output: tables/t0278
-- schedule: "* * * * *"
select 278 as n
