-- output: tables/t0307
-- schedule: "* * * * *"
select 307 as n
