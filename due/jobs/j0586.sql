-- output: tables/t0586
-- schedule: "* * * * *"
select 586 as n
