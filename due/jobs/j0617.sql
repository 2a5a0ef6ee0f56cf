-- output: tables/t0617
-- schedule: "* * * * *"
select 617 as n
