-- output: tables/t0109
-- schedule: "* * * * *"
select 109 as n
