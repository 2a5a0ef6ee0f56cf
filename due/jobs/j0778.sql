-- output: tables/t0778
-- schedule: "* * * * *"
select 778 as n
