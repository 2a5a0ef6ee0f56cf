-- output: tables/t0538
-- schedule: "* * * * *"
select 538 as n
