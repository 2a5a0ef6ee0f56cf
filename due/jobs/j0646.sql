-- output: tables/t0646
-- schedule: "* * * * *"
select 646 as n
