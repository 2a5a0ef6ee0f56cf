-- output: tables/t0831
-- schedule: "* * * * *"
select 831 as n
