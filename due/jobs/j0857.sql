-- output: tables/t0857
-- schedule: "* * * * *"
select 857 as n
