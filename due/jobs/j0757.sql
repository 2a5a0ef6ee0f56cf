-- output: tables/t0757
-- schedule: "* * * * *"
select 757 as n
