-- output: tables/t0530
-- schedule: "* * * * *"
select 530 as n
