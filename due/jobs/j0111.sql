-- output: tables/t0111
-- schedule: "* * * * *"
select 111 as n
