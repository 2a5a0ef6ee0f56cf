-- output: tables/t0866
-- schedule: "* * * * *"
select 866 as n
