-- output: tables/t0298
-- schedule: "* * * * *"
select 298 as n
