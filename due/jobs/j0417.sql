-- output: tables/t0417
-- schedule: "* * * * *"
select 417 as n
