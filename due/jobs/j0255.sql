-- output: tables/t0255
-- schedule: "* * * * *"
select 255 as n
