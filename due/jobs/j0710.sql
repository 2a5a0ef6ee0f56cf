-- output: tables/t0710
-- schedule: "* * * * *"
select 710 as n
