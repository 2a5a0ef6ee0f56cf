-- Bound when the job runs: {{ '{{ ds }}' }} is the day's label. Tables are found in the query by themselves.
select *
from {{ from }}
