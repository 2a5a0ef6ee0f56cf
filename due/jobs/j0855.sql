-- output: tables/t0855
-- schedule: "* * * * *"
select 855 as n
