-- output: tables/t0187
-- schedule: "* * * * *"
select 187 as n
