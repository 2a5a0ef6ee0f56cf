-- output: tables/t0853
-- schedule: "* * * * *"
select 853 as n
