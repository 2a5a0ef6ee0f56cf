-- output: tables/t0816
-- schedule: "* * * * *"
select 816 as n
