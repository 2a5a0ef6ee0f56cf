-- output: tables/t0797
-- schedule: "* * * * *"
select 797 as n
