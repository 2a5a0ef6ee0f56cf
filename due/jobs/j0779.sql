-- output: tables/t0779
-- schedule: "* * * * *"
select 779 as n
