-- output: tables/t0208
-- schedule: "* * * * *"
select 208 as n
