-- output: tables/t0488
-- schedule: "* * * * *"
select 488 as n
