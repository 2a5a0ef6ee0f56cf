-- output: tables/t0588
-- schedule: "* * * * *"
select 588 as n
