-- output: tables/t0594
-- schedule: "* * * * *"
select 594 as n
