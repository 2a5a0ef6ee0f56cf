-- output: tables/t0166
-- schedule: "* * * * *"
select 166 as n
