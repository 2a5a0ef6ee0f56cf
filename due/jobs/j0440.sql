-- output: tables/t0440
-- schedule: "* * * * *"
select 440 as n
