-- output: tables/t0272
-- schedule: "* * * * *"
select 272 as n
