-- output: tables/t0404
-- schedule: "* * * * *"
select 404 as n
