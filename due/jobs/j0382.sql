-- output: tables/t0382
-- schedule: "* * * * *"
select 382 as n
