-- output: tables/t0790
-- schedule: "* * * * *"
select 790 as n
