-- output: tables/t0578
-- schedule: "* * * * *"
select 578 as n
