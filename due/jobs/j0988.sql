-- output: tables/t0988
-- schedule: "* * * * *"
select 988 as n
