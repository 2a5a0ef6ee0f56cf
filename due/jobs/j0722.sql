-- output: tables/t0722
-- schedule: "* * * * *"
select 722 as n
