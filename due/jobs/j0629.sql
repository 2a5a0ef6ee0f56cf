-- output: tables/t0629
-- schedule: "* * * * *"
select 629 as n
