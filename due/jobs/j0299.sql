-- output: tables/t0299
-- schedule: "* * * * *"
select 299 as n
