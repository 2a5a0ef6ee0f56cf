-- description: Means over the seven days that end with each day
-- output: marts/week
-- partition: daily
-- pipeline: weather
-- inputs:
--   weather: {repo: tables/weather, window: [-6, 0]}
-- checks:
--   - row_count = 1
select
    count(*) as days,
    round(avg(temp_max), 1) as temp_max,
    round(sum(precipitation), 1) as rain
from tables.weather
