-- output: tables/t0788
-- schedule: "* * * * *"
select 788 as n
