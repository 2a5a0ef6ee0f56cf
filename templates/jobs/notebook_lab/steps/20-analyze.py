{% if not notebook %}"""How many lines each file of data/tidy has, into data/output."""
import csv
import os
import pathlib

tidy, out = (pathlib.Path(os.environ[f"ENV_DATA_{name}_DIR"]) for name in ("TIDY", "OUTPUT"))
with open(out / "lines.csv", "w", encoding="utf-8", newline="") as f:
    rows = csv.writer(f)
    rows.writerow(["file", "lines"])
    for path in sorted(p for p in tidy.iterdir() if p.is_file()):
        rows.writerow([path.name, len(path.read_text(encoding="utf-8").splitlines())])
{% endif %}