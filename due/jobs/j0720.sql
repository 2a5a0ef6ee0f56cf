-- output: tables/t0720
-- schedule: "* * * * *"
select 720 as n
