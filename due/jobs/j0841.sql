-- output: tables/t0841
-- schedule: "* * * * *"
select 841 as n
