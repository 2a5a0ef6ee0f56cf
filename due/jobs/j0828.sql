-- output: tables/t0828
-- schedule: "* * * * *"
select 828 as n
