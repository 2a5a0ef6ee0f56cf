-- output: tables/t0540
-- schedule: "* * * * *"
select 540 as n
