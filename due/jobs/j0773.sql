-- output: tables/t0773
-- schedule: "* * * * *"
select 773 as n
