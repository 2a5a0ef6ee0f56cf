-- output: tables/t0995
-- schedule: "* * * * *"
select 995 as n
