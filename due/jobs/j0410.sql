-- output: tables/t0410
-- schedule: "* * * * *"
select 410 as n
