{% if notebook %}# %% [markdown]
# # {{ name }}
#
# Its folders are those of the whole lab: `ENV_DATA_SRC_DIR` and the others of `lab.sh`.

# %%
import os
import pathlib
import shutil

src, tidy, out = (pathlib.Path(os.environ[f"ENV_DATA_{name}_DIR"]) for name in ("SRC", "TIDY", "OUTPUT"))
for path in sorted(p for p in src.iterdir() if p.is_file()):
    lines = sorted(line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    (tidy / path.name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    print(path.name, len(lines), "lines")

# %% [markdown]
# ## What is kept
#
# What lies in data/output becomes a commit.

# %%
with open(out / "lines.csv", "w", encoding="utf-8") as f:
    f.write("file,lines\n")
    for path in sorted(p for p in tidy.iterdir() if p.is_file()):
        f.write(f"{path.name},{len(path.read_text(encoding='utf-8').splitlines())}\n")
shutil.copytree(out, os.environ["LEAT_OUTPUT"], dirs_exist_ok=True)
{% endif %}