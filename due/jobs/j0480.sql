-- output: tables/t0480
-- schedule: "* * * * *"
select 480 as n
