-- output: tables/t0437
-- schedule: "* * * * *"
select 437 as n
