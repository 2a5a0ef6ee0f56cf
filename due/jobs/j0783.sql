-- output: tables/t0783
-- schedule: "* * * * *"
select 783 as n
