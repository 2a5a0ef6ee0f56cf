-- output: tables/t0755
-- schedule: "* * * * *"
select 755 as n
