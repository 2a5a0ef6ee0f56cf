-- output: tables/t0640
-- schedule: "* * * * *"
select 640 as n
