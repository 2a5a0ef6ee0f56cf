-- output: tables/t0192
-- schedule: "* * * * *"
select 192 as n
