-- output: tables/t0742
-- schedule: "* * * * *"
select 742 as n
