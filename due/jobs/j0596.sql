-- output: tables/t0596
-- schedule: "* * * * *"
select 596 as n
