-- output: tables/t0537
-- schedule: "* * * * *"
select 537 as n
