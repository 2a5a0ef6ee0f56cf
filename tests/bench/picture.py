"""Figures of leat plot: a million points."""
import json
import os

from measure import LEAT, ROOM, TOOL, Row, best_of, call, fresh, libduckdb, quiet

QUERY = 'select i as x, sin(i / 50000.0) + (i * 7919 %% 1000) / 5000.0 as y from range(%d) t(i)'
POINTS = 1000000


def case_plot():
    """DuckDB alone writes the same rows as CSV; a picture needs them as text, too."""
    ws, query = fresh('picture'), QUERY % POINTS
    copy = "copy (%s) to '%s' (format csv)" % (query, os.path.join(ROOM, 'picture.csv'))
    with quiet():
        svg = best_of([LEAT, 'plot', query, '-o', 'line.svg'], ws, 3)
        text = best_of([LEAT, 'plot', query, '-o', 'line.txt'], ws, 3)
        small = best_of([LEAT, 'plot', QUERY % 1000, '-o', 'small.svg'], ws, 5)
        floor = min(json.loads(call([TOOL + 'duck', libduckdb(), copy], ROOM))['wall'] for _ in range(3))
        least = min(json.loads(call([TOOL + 'duck', libduckdb(), QUERY % 1000], ROOM))['wall'] for _ in range(3))
    rows, alone = 'DuckDB alone, the same rows to CSV', 'DuckDB alone, the same query'
    return [Row('a line of 1,000,000 points as SVG', svg, floor, rows),
            Row('the same in the terminal', text, floor, rows),
            Row('its file, bytes', os.path.getsize(os.path.join(ws, 'line.svg')), unit='count', limit=100000),
            Row('a line of 1,000 points as SVG', small, least, alone)]
