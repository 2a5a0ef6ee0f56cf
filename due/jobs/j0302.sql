-- output: tables/t0302
-- schedule: "* * * * *"
select 302 as n
