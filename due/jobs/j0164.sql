-- output: tables/t0164
-- schedule: "* * * * *"
select 164 as n
