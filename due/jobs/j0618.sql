-- output: tables/t0618
-- schedule: "* * * * *"
select 618 as n
