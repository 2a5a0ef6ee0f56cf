-- output: tables/t0684
-- schedule: "* * * * *"
select 684 as n
