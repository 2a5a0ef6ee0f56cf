-- output: tables/t0188
-- schedule: "* * * * *"
select 188 as n
