-- output: tables/t0741
-- schedule: "* * * * *"
select 741 as n
