-- output: tables/t0704
-- schedule: "* * * * *"
select 704 as n
