-- output: tables/t0983
-- schedule: "* * * * *"
select 983 as n
