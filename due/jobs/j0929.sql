-- output: tables/t0929
-- schedule: "* * * * *"
select 929 as n
