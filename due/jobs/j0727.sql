-- output: tables/t0727
-- schedule: "* * * * *"
select 727 as n
