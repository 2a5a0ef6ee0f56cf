-- output: tables/t0699
-- schedule: "* * * * *"
select 699 as n
