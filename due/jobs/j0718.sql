-- output: tables/t0718
-- schedule: "* * * * *"
select 718 as n
