-- description: One clean row a day from what the weather station sends
-- output: tables/weather
-- partition: daily
-- pipeline: weather
-- checks:
--   - row_count > 0
--   - missing_count(temp_max) = 0
--   - min(precipitation) >= 0
select
    "date"::date as day,
    precipitation::double as precipitation,
    temp_max::double as temp_max,
    temp_min::double as temp_min,
    wind::double as wind,
    weather
from raw.weather
where "date"::date = {{ ds }}::date
