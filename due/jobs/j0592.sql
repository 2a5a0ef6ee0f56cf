-- output: tables/t0592
-- schedule: "* * * * *"
select 592 as n
