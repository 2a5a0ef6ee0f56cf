-- output: tables/t0949
-- schedule: "* * * * *"
select 949 as n
