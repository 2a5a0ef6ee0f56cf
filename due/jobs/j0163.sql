-- output: tables/t0163
-- schedule: "* * * * *"
select 163 as n
