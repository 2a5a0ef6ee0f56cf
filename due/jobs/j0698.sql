-- output: tables/t0698
-- schedule: "* * * * *"
select 698 as n
