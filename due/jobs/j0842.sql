-- output: tables/t0842
-- schedule: "* * * * *"
select 842 as n
