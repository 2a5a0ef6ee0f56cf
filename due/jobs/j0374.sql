-- output: tables/t0374
-- schedule: "* * * * *"
select 374 as n
