-- output: tables/t0739
-- schedule: "* * * * *"
select 739 as n
