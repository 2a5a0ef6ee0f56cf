-- output: tables/t0620
-- schedule: "* * * * *"
select 620 as n
