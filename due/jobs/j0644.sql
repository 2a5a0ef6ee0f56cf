-- output: tables/t0644
-- schedule: "* * * * *"
select 644 as n
