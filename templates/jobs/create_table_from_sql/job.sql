-- Bound when the job runs: {% raw %}{{ ds }}{% endraw %} is the day's label. Tables are found in the query by themselves.
{% if query %}{{ query }}{% else %}select *
from {{ from }}{% endif %}
