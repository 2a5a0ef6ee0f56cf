-- output: tables/t0763
-- schedule: "* * * * *"
select 763 as n
