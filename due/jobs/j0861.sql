-- output: tables/t0861
-- schedule: "* * * * *"
select 861 as n
