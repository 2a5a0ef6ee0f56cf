-- output: tables/t0982
-- schedule: "* * * * *"
select 982 as n
