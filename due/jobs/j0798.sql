-- output: tables/t0798
-- schedule: "* * * * *"
select 798 as n
