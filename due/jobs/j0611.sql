-- output: tables/t0611
-- schedule: "* * * * *"
select 611 as n
