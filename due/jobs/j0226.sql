-- output: tables/t0226
-- schedule: "* * * * *"
select 226 as n
