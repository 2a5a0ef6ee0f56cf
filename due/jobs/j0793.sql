-- output: tables/t0793
-- schedule: "* * * * *"
select 793 as n
