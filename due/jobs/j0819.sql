-- output: tables/t0819
-- schedule: "* * * * *"
select 819 as n
