-- output: tables/t0795
-- schedule: "* * * * *"
select 795 as n
