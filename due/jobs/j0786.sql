-- output: tables/t0786
-- schedule: "* * * * *"
select 786 as n
