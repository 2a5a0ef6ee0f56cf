-- output: tables/t0883
-- schedule: "* * * * *"
select 883 as n
