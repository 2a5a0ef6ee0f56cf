-- output: tables/t0706
-- schedule: "* * * * *"
select 706 as n
