-- output: tables/t0615
-- schedule: "* * * * *"
select 615 as n
