-- output: tables/t0627
-- schedule: "* * * * *"
select 627 as n
