-- output: tables/t0879
-- schedule: "* * * * *"
select 879 as n
