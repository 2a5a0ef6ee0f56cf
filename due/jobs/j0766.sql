-- output: tables/t0766
-- schedule: "* * * * *"
select 766 as n
