-- output: tables/t0906
-- schedule: "* * * * *"
select 906 as n
