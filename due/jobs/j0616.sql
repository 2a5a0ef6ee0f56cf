-- output: tables/t0616
-- schedule: "* * * * *"
select 616 as n
