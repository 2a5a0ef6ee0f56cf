-- output: tables/t0584
-- schedule: "* * * * *"
select 584 as n
