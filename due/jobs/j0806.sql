-- output: tables/t0806
-- schedule: "* * * * *"
select 806 as n
