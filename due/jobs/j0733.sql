-- output: tables/t0733
-- schedule: "* * * * *"
select 733 as n
