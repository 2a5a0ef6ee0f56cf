{% if not notebook %}"""Every file of data/src, its lines trimmed and in order, into data/tidy."""
import os
import pathlib

src, tidy = (pathlib.Path(os.environ[f"ENV_DATA_{name}_DIR"]) for name in ("SRC", "TIDY"))
for path in sorted(p for p in src.iterdir() if p.is_file()):
    lines = sorted(line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    (tidy / path.name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
{% endif %}