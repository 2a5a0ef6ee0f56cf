-- output: tables/t0660
-- schedule: "* * * * *"
select 660 as n
