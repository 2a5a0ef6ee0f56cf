-- output: tables/t0807
-- schedule: "* * * * *"
select 807 as n
