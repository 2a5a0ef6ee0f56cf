-- output: tables/t0256
-- schedule: "* * * * *"
select 256 as n
