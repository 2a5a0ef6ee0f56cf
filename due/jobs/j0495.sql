-- output: tables/t0495
-- schedule: "* * * * *"
select 495 as n
