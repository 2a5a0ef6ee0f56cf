-- output: tables/t0935
-- schedule: "* * * * *"
select 935 as n
