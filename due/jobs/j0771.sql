-- output: tables/t0771
-- schedule: "* * * * *"
select 771 as n
