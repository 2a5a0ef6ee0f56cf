-- output: tables/t0669
-- schedule: "* * * * *"
select 669 as n
