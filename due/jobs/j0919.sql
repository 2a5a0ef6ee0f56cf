-- output: tables/t0919
-- schedule: "* * * * *"
select 919 as n
