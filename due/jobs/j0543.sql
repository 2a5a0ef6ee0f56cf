-- output: tables/t0543
-- schedule: "* * * * *"
select 543 as n
