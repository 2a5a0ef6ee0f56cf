-- output: tables/t0428
-- schedule: "* * * * *"
select 428 as n
