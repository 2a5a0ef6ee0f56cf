-- output: tables/t0916
-- schedule: "* * * * *"
select 916 as n
