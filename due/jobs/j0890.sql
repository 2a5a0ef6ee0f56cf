-- output: tables/t0890
-- schedule: "* * * * *"
select 890 as n
