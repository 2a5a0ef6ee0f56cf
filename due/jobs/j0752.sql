-- output: tables/t0752
-- schedule: "* * * * *"
select 752 as n
