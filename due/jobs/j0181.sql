-- output: tables/t0181
-- schedule: "* * * * *"
select 181 as n
