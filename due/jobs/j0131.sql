-- output: tables/t0131
-- schedule: "* * * * *"
select 131 as n
