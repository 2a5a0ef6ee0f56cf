-- output: tables/t0821
-- schedule: "* * * * *"
select 821 as n
