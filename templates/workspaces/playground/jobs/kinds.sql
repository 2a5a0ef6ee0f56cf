-- description: How often each kind of weather came
-- output: marts/kinds
-- partition: none
select
    weather,
    count(*) as days,
    round(avg(temp_max), 1) as temp_max,
    round(sum(precipitation), 1) as rain
from tables.weather
group by weather
order by days desc, weather
