-- output: tables/t0875
-- schedule: "* * * * *"
select 875 as n
