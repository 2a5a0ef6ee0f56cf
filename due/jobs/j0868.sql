-- output: tables/t0868
-- schedule: "* * * * *"
select 868 as n
