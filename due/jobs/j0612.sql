-- output: tables/t0612
-- schedule: "* * * * *"
select 612 as n
