-- output: tables/t0729
-- schedule: "* * * * *"
select 729 as n
