-- output: tables/t0129
-- schedule: "* * * * *"
select 129 as n
