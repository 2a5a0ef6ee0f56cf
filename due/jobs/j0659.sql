-- output: tables/t0659
-- schedule: "* * * * *"
select 659 as n
