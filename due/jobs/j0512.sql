-- output: tables/t0512
-- schedule: "* * * * *"
select 512 as n
