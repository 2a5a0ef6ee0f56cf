-- output: tables/t0728
-- schedule: "* * * * *"
select 728 as n
