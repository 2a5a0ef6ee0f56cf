-- output: tables/t0680
-- schedule: "* * * * *"
select 680 as n
