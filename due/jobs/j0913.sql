-- output: tables/t0913
-- schedule: "* * * * *"
select 913 as n
