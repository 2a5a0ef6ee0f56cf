-- output: tables/t0768
-- schedule: "* * * * *"
select 768 as n
