-- output: tables/t0837
-- schedule: "* * * * *"
select 837 as n
