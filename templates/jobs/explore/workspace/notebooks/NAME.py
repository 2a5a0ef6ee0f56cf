# %% [markdown]
# # {{ name }}
#
# What {{ output }} holds. Fetch it anew with `leat run {{ name }}`.

# %%
import json
import os
import subprocess

TABLE = "{{ output }}"
schema, _, table = TABLE.partition("/")
NAME = f'{schema}."{table}"' if table else f'"{schema}"'


def leat(*words):
    """What the program prints; where the package is installed, `leat.sql` of it gives frames of pandas."""
    done = subprocess.run([os.environ.get("LEAT_BIN", "leat"), *words], text=True, capture_output=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout


head, *lines = leat("sql", f"from {NAME}", "--format", "typed").splitlines()
columns, rows = json.loads(head)["columns"], [json.loads(line) for line in lines]
print(f"{len(rows)} rows")

# %% [markdown]
# ## Columns

# %%
for at, column in enumerate(columns):
    values = [row[at] for row in rows if row[at] is not None]
    print(f"{column['name']:30} {column['type'][:40]:40} {len(values):8} values, {len(set(map(str, values))):8} different")

# %% [markdown]
# ## The first rows

# %%
for row in rows[:5]:
    print(dict(zip([column["name"] for column in columns], row)))

# %% [markdown]
# ## A picture
#
# `leat plot` chooses by the columns; docs/how-to/plot.md tells how.

# %%
try:
    print(leat("plot", f"from {NAME} limit 1000"))
except SystemExit as why:  # not all that is there can be drawn: a query may choose
    print(why)
