-- output: tables/t0708
-- schedule: "* * * * *"
select 708 as n
