-- output: tables/t0772
-- schedule: "* * * * *"
select 772 as n
