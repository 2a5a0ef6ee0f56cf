-- output: tables/t0581
-- schedule: "* * * * *"
select 581 as n
