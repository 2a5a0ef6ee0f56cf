-- output: tables/t0254
-- schedule: "* * * * *"
select 254 as n
