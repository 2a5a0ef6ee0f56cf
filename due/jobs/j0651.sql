-- output: tables/t0651
-- schedule: "* * * * *"
select 651 as n
