-- output: tables/t0393
-- schedule: "* * * * *"
select 393 as n
