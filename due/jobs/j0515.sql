-- output: tables/t0515
-- schedule: "* * * * *"
select 515 as n
