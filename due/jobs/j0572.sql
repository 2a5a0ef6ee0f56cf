-- output: tables/t0572
-- schedule: "* * * * *"
select 572 as n
