-- output: tables/t0759
-- schedule: "* * * * *"
select 759 as n
