-- output: tables/t0787
-- schedule: "* * * * *"
select 787 as n
