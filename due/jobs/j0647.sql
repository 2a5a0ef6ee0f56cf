-- output: tables/t0647
-- schedule: "* * * * *"
select 647 as n
