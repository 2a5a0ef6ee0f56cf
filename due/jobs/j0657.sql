-- output: tables/t0657
-- schedule: "* * * * *"
select 657 as n
