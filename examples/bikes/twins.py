#!/usr/bin/env python3
"""Twins of the example's data: trips and weather of 92 summer days, made up from a seed.

    twins.py DIR [SEED]     writes DIR/trips/7-01-16 ... and DIR/weather/2016-07-01 ...

Nothing in them was measured. Rain keeps people from riding, weekends a little too, and the rest is chance.
"""
import datetime
import json
import os
import random
import sys

FIRST = datetime.date(2016, 7, 1)
DAYS = 92


def rain(rng, before):
    """A probability, in steps of a hundredth; wet days come in rows."""
    wet = rng.random() < (0.55 if before > 0.4 else 0.25)
    return round(rng.uniform(0.4, 0.95), 2) if wet else round(max(0.0, rng.gauss(0.05, 0.08)), 2)


def trips(rng, day, wet):
    level = 48000 - 16000 * wet - (7000 if day.weekday() >= 5 else 0)
    return max(5000, int(rng.gauss(level, 3500)))


def weather(rng, day, wet):
    noon = int(datetime.datetime(day.year, day.month, day.day, 4, tzinfo=datetime.timezone.utc).timestamp())
    hours = [{'time': noon + 3600 * h, 'precipProbability': round(wet * rng.random(), 2),
              'temperature': round(rng.gauss(77, 5), 2)} for h in range(24)]
    one = {'time': noon, 'summary': 'Rain.' if wet >= 0.4 else 'Dry.', 'precipProbability': wet,
           'temperatureMax': round(max(h['temperature'] for h in hours), 2)}
    return {'timezone': 'America/New_York', 'hourly': {'data': hours}, 'daily': {'data': [one]}}


def main(top, seed):
    rng = random.Random(seed)
    for name in ('trips', 'weather'):
        os.makedirs(os.path.join(top, name), exist_ok=True)
    total, wet = 30000000, 0.0
    for i in range(DAYS):
        day = FIRST + datetime.timedelta(days=i)
        wet = rain(rng, wet)
        n = trips(rng, day, wet)
        total += n
        name = '%d-%02d-%02d' % (day.month, day.day, day.year % 100)
        with open(os.path.join(top, 'trips', name), 'w', encoding='ascii') as f:
            f.write('Date,Trips,Trips so far,Miles\n%d/%d/%d,%d,%d,%d\n'
                    % (day.month, day.day, day.year % 100, n, total, int(n * rng.uniform(1.9, 2.3))))
        with open(os.path.join(top, 'weather', day.isoformat()), 'w', encoding='ascii') as f:
            json.dump(weather(rng, day, wet), f)


if __name__ == '__main__':
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 2016)
