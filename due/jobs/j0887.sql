-- output: tables/t0887
-- schedule: "* * * * *"
select 887 as n
