-- output: tables/t0570
-- schedule: "* * * * *"
select 570 as n
