-- output: tables/t0218
-- schedule: "* * * * *"
select 218 as n
