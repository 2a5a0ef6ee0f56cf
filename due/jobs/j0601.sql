-- output: tables/t0601
-- schedule: "* * * * *"
select 601 as n
