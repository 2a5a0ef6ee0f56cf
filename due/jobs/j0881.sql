-- output: tables/t0881
-- schedule: "* * * * *"
select 881 as n
