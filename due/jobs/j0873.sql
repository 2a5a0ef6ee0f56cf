-- output: tables/t0873
-- schedule: "* * * * *"
select 873 as n
