-- output: tables/t0715
-- schedule: "* * * * *"
select 715 as n
