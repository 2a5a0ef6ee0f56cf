-- output: tables/t0895
-- schedule: "* * * * *"
select 895 as n
