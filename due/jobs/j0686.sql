-- output: tables/t0686
-- schedule: "* * * * *"
select 686 as n
