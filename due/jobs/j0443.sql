-- output: tables/t0443
-- schedule: "* * * * *"
select 443 as n
