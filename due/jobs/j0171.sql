-- output: tables/t0171
-- schedule: "* * * * *"
select 171 as n
