-- output: tables/t0682
-- schedule: "* * * * *"
select 682 as n
