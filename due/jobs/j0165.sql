-- output: tables/t0165
-- schedule: "* * * * *"
select 165 as n
