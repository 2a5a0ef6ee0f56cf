-- output: tables/t0142
-- schedule: "* * * * *"
select 142 as n
