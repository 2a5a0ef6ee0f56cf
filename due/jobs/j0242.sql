-- output: tables/t0242
-- schedule: "* * * * *"
select 242 as n
