-- output: tables/t0201
-- schedule: "* * * * *"
select 201 as n
