-- output: tables/t0656
-- schedule: "* * * * *"
select 656 as n
