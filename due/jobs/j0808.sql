-- output: tables/t0808
-- schedule: "* * * * *"
select 808 as n
