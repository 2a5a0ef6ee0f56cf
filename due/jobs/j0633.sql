-- output: tables/t0633
-- schedule: "* * * * *"
select 633 as n
