-- output: tables/t0622
-- schedule: "* * * * *"
select 622 as n
