# %% [markdown]
# # {{ name }}
#
# What {{ output }} holds. Fetch it anew with `leat run {{ name }}`.

# %%
import os
import subprocess

import leat

TABLE = "{{ output }}"
rows = leat.table(TABLE, frame="rows")
print(f"{len(rows)} rows")

# %% [markdown]
# ## Columns

# %%
for name, kind in zip(rows.columns, rows.types):
    values = [v for v in rows.column(name) if v is not None]
    print(f"{name:30} {kind:12} {len(values):8} values, {len(set(map(str, values))):8} different")

# %% [markdown]
# ## The first rows

# %%
for row in list(rows)[:5]:
    print(row)

# %% [markdown]
# ## A picture
#
# `leat plot` chooses by the columns; docs/how-to/plot.md tells how.

# %%
schema, _, table = TABLE.partition("/")
name = f'{schema}."{table}"' if table else f'"{schema}"'
print(subprocess.run([os.environ.get("LEAT_BIN", "leat"), "plot", f"from {name} limit 1000"], text=True, capture_output=True).stdout)
