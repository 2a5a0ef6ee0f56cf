-- output: tables/t0183
-- schedule: "* * * * *"
select 183 as n
