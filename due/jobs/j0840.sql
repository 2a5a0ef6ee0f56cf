-- output: tables/t0840
-- schedule: "* * * * *"
select 840 as n
