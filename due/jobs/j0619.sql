-- output: tables/t0619
-- schedule: "* * * * *"
select 619 as n
