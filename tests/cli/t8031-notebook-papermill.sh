#!/usr/bin/env bash
# Papermill as judge: the same notebook with the same parameters, run by both, has the same cells and outputs.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-notebook.sh"
needs papermill

python=$(sed -n '1s/^#!//p' "$(command -v papermill)")
"$python" -c 'import IPython, ipykernel' 2>/dev/null || skip_all "ipykernel is not installed beside papermill"

# compare THEIRS OURS: says where they differ in sources, outputs or counts; pictures by their sizes
compare() {
	python3 - "$@" <<\X
import ast, json, sys
theirs, ours = (json.load(open(f)) for f in sys.argv[1:])
def text(v): return "".join(v) if isinstance(v, list) else v
def source(cell):  # the injected cell by its values: both write a string as they like
    return ast.dump(ast.parse(text(cell["source"]))) if "injected-parameters" in cell["metadata"].get("tags", []) else text(cell["source"])
def output(o):
    o = {k: text(v) if k == "text" else v for k, v in o.items()}
    if "data" in o: o["data"] = {k: len(text(v)) if k == "image/png" else text(v) for k, v in o["data"].items()}
    return o
assert len(theirs["cells"]) == len(ours["cells"]), (len(theirs["cells"]), len(ours["cells"]))
for a, b in zip(theirs["cells"], ours["cells"]):
    assert source(a) == source(b), (source(a), source(b))
    if a["cell_type"] == "code":
        assert list(map(output, a["outputs"])) == list(map(output, b["outputs"])), (a["source"], a["outputs"], b["outputs"])
        assert a["execution_count"] == b["execution_count"], (a["source"], a["execution_count"], b["execution_count"])
keys = set(theirs["metadata"]["papermill"]) - set(ours["metadata"]["papermill"])
assert not keys, keys
print("the same")
X
}

test_expect 'parameters, streams, results, rich output, updates, magics, bash and a figure are the same as by papermill' '
	workspace w && mkdir -p jobs/p && printf "kind: notebook\npython: %s\npartition: none\noutput: raw/p\nparams: {alpha: 0.6, name: \"it'"'"'s é\", flag: true, items: [1, two], conf: {a: 1.5}}\n" "$python" >jobs/p/job.yaml && cat >p.py <<\X &&
# %% tags=["parameters"]
alpha = 0.1
name = "x"
flag = False
items = []
conf = {}
nothing = None
# %% [markdown]
# # A title
# %%
print(alpha, name, flag, items, conf, nothing)
# %%
import sys
print("err", file=sys.stderr)
alpha * 2
# %%
from IPython.display import HTML, Markdown, clear_output, display
display(HTML("<b>x</b>"))
display(Markdown("*m*"))
h = display("a", display_id="q")
h.update("b")
# %%
print("gone")
clear_output()
print("stays")
# %%
# %%bash
# echo hello
# %%
# !echo hi
# %%
class A:
    def __repr__(self): return "A!"
A()
# %%
x = 5;
x;
# %% tags=["skip-execution"]
1 / 0
# %%
_
# %%
print("a", end="")
print("b")
X
	if "$python" -c "import matplotlib" 2>/dev/null; then printf "%s\n" "# %%" "# %matplotlib inline" "import matplotlib.pyplot as plt" "plt.plot([1, 2]);" >>p.py; fi &&
	leat notebook convert p.py jobs/p/notebook.ipynb && leat run p &&
	printf "%s\n" "{alpha: 0.6, name: \"it'"'"'s é\", flag: true, items: [1, two], conf: {a: 1.5}}" >p.yaml && papermill --no-progress-bar -k python3 -l python jobs/p/notebook.ipynb theirs.ipynb -f p.yaml && eq "$(compare theirs.ipynb datastore/job_runs/p/notebook.ipynb)" "the same"
'
test_done
