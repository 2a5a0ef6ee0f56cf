-- output: tables/t0321
-- schedule: "* * * * *"
select 321 as n
