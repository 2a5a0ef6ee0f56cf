-- output: tables/t0176
-- schedule: "* * * * *"
select 176 as n
