-- output: tables/t0186
-- schedule: "* * * * *"
select 186 as n
