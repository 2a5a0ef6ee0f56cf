-- output: tables/t0613
-- schedule: "* * * * *"
select 613 as n
