-- A field of an object is reached by a dot: fields.temperature. A list becomes rows by unnest(list).
{% if unfold %}select unnest({{ unfold }}){% else %}select *{% endif %}
from {{ from }}
