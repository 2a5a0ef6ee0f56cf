-- output: tables/t0717
-- schedule: "* * * * *"
select 717 as n
