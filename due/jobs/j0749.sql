-- output: tables/t0749
-- schedule: "* * * * *"
select 749 as n
