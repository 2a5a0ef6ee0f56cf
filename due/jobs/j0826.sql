-- output: tables/t0826
-- schedule: "* * * * *"
select 826 as n
