-- output: tables/t0548
-- schedule: "* * * * *"
select 548 as n
