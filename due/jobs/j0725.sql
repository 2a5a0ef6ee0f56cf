-- output: tables/t0725
-- schedule: "* * * * *"
select 725 as n
