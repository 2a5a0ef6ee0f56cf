-- output: tables/t0609
-- schedule: "* * * * *"
select 609 as n
