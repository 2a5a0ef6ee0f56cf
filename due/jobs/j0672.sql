-- output: tables/t0672
-- schedule: "* * * * *"
select 672 as n
