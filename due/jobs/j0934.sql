-- output: tables/t0934
-- schedule: "* * * * *"
select 934 as n
