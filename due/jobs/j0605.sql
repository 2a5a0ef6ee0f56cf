-- output: tables/t0605
-- schedule: "* * * * *"
select 605 as n
