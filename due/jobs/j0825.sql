-- output: tables/t0825
-- schedule: "* * * * *"
select 825 as n
