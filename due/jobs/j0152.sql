-- output: tables/t0152
-- schedule: "* * * * *"
select 152 as n
