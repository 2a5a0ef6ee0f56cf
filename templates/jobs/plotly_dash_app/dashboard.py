"""A dashboard with Plotly Dash over the table `data`. Its columns are params of job.yaml, read when it starts."""
import decimal
import os

import leat

try:
    from dash import Dash, Input, Output, dash_table, dcc, html
except ImportError:
    raise SystemExit("dash is not there for this python3: pip install dash, or name it in a requirements.txt: `environment: requirements.txt` in job.yaml")

X, Y = leat.params["x_axis"], leat.params["y_axis"]
SHOWS = ["rows"] if leat.params["include_table"] else []



def plain(value):
    """As JSON has it: numbers, and texts for all else."""
    if isinstance(value, decimal.Decimal):
        return float(value)
    return value if isinstance(value, (int, float, type(None))) else str(value)


data = leat.sql("from data", frame="rows")
rows = sorted(({name: plain(row[name]) for name in data.columns} for row in data), key=lambda row: str(row[X]))
TEXTS = [name for name in data.columns if any(isinstance(row[name], str) for row in rows)]
days = [str(row[X])[:10] for row in rows] or ["2000-01-01"]

app = Dash(__name__, title="{{ name }}")
server = app.server
# Dash has light pages only: who wants dark ones sees this one the other way round.
app.index_string = app.index_string.replace("{% raw %}{%css%}{% endraw %}", """{% raw %}{%css%}{% endraw %}<style>
body{overflow-wrap:anywhere}
@media (prefers-color-scheme:dark){% raw %}{html{background:#fff;filter:invert(.92) hue-rotate(180deg)}}{% endraw %}
</style>""")
app.layout = html.Div(
    [
        html.H1("{{ name }}"),
        dcc.DatePickerRange(id="days", min_date_allowed=days[0], max_date_allowed=days[-1], start_date=days[0], end_date=days[-1]),
        dcc.Checklist(id="shows", options=[{% raw %}{"label": " rows", "value": "rows"}{% endraw %}], value=SHOWS),
        dcc.Graph(id="figure"),
        html.Div(id="table"),
    ],
    style={"fontFamily": "system-ui, sans-serif", "maxWidth": "60em", "margin": "2em auto", "padding": "0 1em"},
)


@app.callback(Output("figure", "figure"), Output("table", "children"), Input("days", "start_date"), Input("days", "end_date"), Input("shows", "value"))
def show(first, last, shows):
    inside = [row for row in rows if (not first or str(row[X])[:10] >= first[:10]) and (not last or str(row[X])[:10] <= last[:10])]
    figure = {"data": [{"x": [row[X] for row in inside], "y": [row[Y] for row in inside], "mode": "lines+markers", "name": Y}],
              "layout": {"xaxis": {"title": {"text": X}}, "yaxis": {"title": {"text": Y}}, "margin": {"t": 30, "r": 20, "l": 60}}}
    if "rows" not in (shows or []):
        return figure, []
    return figure, dash_table.DataTable(
        inside, [{"name": name, "id": name} for name in data.columns], page_size=20, style_table={"overflowX": "auto"}, sort_action="native",
        style_cell={"fontFamily": "inherit"}, style_cell_conditional=[{"if": {"column_id": name}, "textAlign": "left"} for name in TEXTS])


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["LEAT_PORT"]), debug=False)
