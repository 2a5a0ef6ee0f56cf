-- output: tables/t0551
-- schedule: "* * * * *"
select 551 as n
