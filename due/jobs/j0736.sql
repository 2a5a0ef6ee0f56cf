-- output: tables/t0736
-- schedule: "* * * * *"
select 736 as n
