-- output: tables/t0775
-- schedule: "* * * * *"
select 775 as n
