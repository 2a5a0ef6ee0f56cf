-- output: tables/t0683
-- schedule: "* * * * *"
select 683 as n
