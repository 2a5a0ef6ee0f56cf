-- output: tables/t0632
-- schedule: "* * * * *"
select 632 as n
