-- output: tables/t0368
-- schedule: "* * * * *"
select 368 as n
