-- output: tables/t0179
-- schedule: "* * * * *"
select 179 as n
