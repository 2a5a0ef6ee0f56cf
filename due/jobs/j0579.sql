-- output: tables/t0579
-- schedule: "* * * * *"
select 579 as n
