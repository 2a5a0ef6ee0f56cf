-- output: tables/t0663
-- schedule: "* * * * *"
select 663 as n
