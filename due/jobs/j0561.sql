-- output: tables/t0561
-- schedule: "* * * * *"
select 561 as n
