-- output: tables/t0415
-- schedule: "* * * * *"
select 415 as n
