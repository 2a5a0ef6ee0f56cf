-- output: tables/t0822
-- schedule: "* * * * *"
select 822 as n
