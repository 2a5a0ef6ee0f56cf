-- output: tables/t0724
-- schedule: "* * * * *"
select 724 as n
