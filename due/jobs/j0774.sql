-- output: tables/t0774
-- schedule: "* * * * *"
select 774 as n
