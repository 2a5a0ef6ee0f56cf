-- output: tables/t0655
-- schedule: "* * * * *"
select 655 as n
