-- output: tables/t0843
-- schedule: "* * * * *"
select 843 as n
