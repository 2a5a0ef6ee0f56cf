-- output: tables/t0723
-- schedule: "* * * * *"
select 723 as n
