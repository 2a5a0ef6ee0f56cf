#!/usr/bin/env python3
"""run_notebook.py NOTEBOOK: runs its code cells one after the other; the first that fails fails the job.

Made by `leat import dsflow`. TASK_SPECS is what dsflow gave to its notebooks; $NAME in it is filled in here.
"""
import json
import os
import sys
import traceback

os.environ["TASK_SPECS"] = os.path.expandvars(os.environ.get("TASK_SPECS", "{}"))
path = sys.argv[1]
with open(path, encoding="utf-8") as f:
    text = f.read()
if path.endswith(".ipynb"):
    cells = ["".join(c["source"]) for c in json.loads(text)["cells"] if c["cell_type"] == "code"]
else:
    cells = [text]
try:
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
except ImportError:
    shell = None
space = {"__name__": "__main__", "display": print}
for number, cell in enumerate(cells, 1):
    print(f"cell {number} of {len(cells)}", file=sys.stderr, flush=True)
    if shell:
        if not shell.run_cell(cell).success:
            sys.exit(f"{path}: cell {number} failed")
        continue
    lines = cell.split("\n")
    for i, line in enumerate(lines):
        if line.lstrip().startswith(("%", "!")):
            print(f"{path}: cell {number}: left out, as IPython is not installed: {line.strip()}", file=sys.stderr)
            lines[i] = line[: len(line) - len(line.lstrip())] + "pass"
    try:
        exec(compile("\n".join(lines), f"{path}, cell {number}", "exec"), space)
    except SystemExit as end:
        sys.exit(end.code)
    except BaseException:
        traceback.print_exc()
        sys.exit(f"{path}: cell {number} failed")
