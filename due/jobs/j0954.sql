-- output: tables/t0954
-- schedule: "* * * * *"
select 954 as n
