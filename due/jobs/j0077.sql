-- output: tables/t0077
-- schedule: "* * * * *"
select 77 as n
