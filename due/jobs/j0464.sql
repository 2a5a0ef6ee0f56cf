-- output: tables/t0464
-- schedule: "* * * * *"
select 464 as n
