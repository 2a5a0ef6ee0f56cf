-- output: tables/t0943
-- schedule: "* * * * *"
select 943 as n
