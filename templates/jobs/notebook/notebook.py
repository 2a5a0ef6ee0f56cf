# %% [markdown]
# # {{ name }}
#
# A notebook in cells: VS Code, PyCharm and Spyder run it cell by cell, `leat run` as a job.

# %% tags=["parameters"]
ds = "2024-01-01"
rows = 1
outputs = "/tmp"

# %%
import csv

with open(f"{outputs}/part.csv", "w", newline="") as file:
    table = csv.writer(file)
    table.writerow(["day", "number"])
    table.writerows([ds, number] for number in range(rows))

# %%
print(ds, "has", rows, "rows")
