-- output: tables/t0871
-- schedule: "* * * * *"
select 871 as n
