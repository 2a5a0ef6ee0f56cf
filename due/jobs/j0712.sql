-- output: tables/t0712
-- schedule: "* * * * *"
select 712 as n
