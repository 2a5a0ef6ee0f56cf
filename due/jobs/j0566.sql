-- output: tables/t0566
-- schedule: "* * * * *"
select 566 as n
