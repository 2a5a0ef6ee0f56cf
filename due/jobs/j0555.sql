-- output: tables/t0555
-- schedule: "* * * * *"
select 555 as n
