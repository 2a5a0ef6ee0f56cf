-- output: tables/t0849
-- schedule: "* * * * *"
select 849 as n
