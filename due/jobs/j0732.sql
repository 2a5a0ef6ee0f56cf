-- output: tables/t0732
-- schedule: "* * * * *"
select 732 as n
