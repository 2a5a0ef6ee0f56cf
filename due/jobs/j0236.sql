-- output: tables/t0236
-- schedule: "* * * * *"
select 236 as n
