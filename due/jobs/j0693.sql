-- output: tables/t0693
-- schedule: "* * * * *"
select 693 as n
