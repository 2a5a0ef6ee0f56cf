#!/usr/bin/env bash
# notebook convert: .ipynb, cells in Python, and back; nbformat and Jupytext (PyPI) are judges where they are installed.
. "$(dirname "$0")/../lib.sh"
JUDGE=$TESTS/py/notebooks.py
has_module() { python3 -c "import $1" 2>/dev/null; }

test_expect 'a Python file in cells becomes a notebook, and comes back byte by byte' '
	printf "%s\n" "#!/usr/bin/env python3" "# ---" "# jupyter:" "#   kernelspec:" "#     display_name: Python 3" "#     name: python3" "# ---" "" \
		"# %% [markdown]" "# # Title" "#" "# text *here*" "" "# %% the parameters tags=[\"parameters\"]" "ds = \"2020-01-01\"" "n = 3" "" \
		"# %%" "# %matplotlib inline" "import os" "# !ls" "# # %no magic" "s = \"\"\"" "%d items" "# !still text" "\"\"\"" "for i in range(3):" "    # !echo hi" "    print(i)" "" \
		"# %% language=\"bash\" magic_args=\"-e\"" "# echo hello" "#" "# exit 0" "" "# %% [raw]" "# raw" "" "# %%" > a.py &&
	leat notebook convert a.py a.ipynb 2> talk && has talk "6 cells of a.py are in a.ipynb" && leat notebook convert a.ipynb b.py && same a.py b.py &&
	leat notebook convert a.ipynb > c.py && same a.py c.py && leat notebook convert b.py --to ipynb | cmp - a.ipynb
'
test_expect 'the notebook holds code as Jupyter runs it: magics bare, another language as its %% magic' '
	eq "$(json a.ipynb "\"\".join(d[\"cells\"][2][\"source\"])" | head -3)" "%matplotlib inline
import os
!ls" && eq "$(json a.ipynb "d[\"cells\"][3][\"source\"]")" "[\"%%bash -e\\n\", \"echo hello\\n\", \"\\n\", \"exit 0\"]" &&
	eq "$(json a.ipynb "d[\"cells\"][1][\"metadata\"]")" "{\"tags\": [\"parameters\"], \"title\": \"the parameters\"}" &&
	eq "$(json a.ipynb "d[\"nbformat\"], d[\"nbformat_minor\"], len({c[\"id\"] for c in d[\"cells\"]})")" "[4, 5, 6]"
'
test_expect 'fifty notebooks at random keep cells, tags, metadata and attachments through Python and back' '
	mkdir -p random && cd random && python3 "$JUDGE" again 50 "$LEAT_BIN"
'
test_expect 'a notebook of format 3 is read: headings, old outputs, prompt numbers' '
	printf "%s" "{\"metadata\":{\"name\":\"old\"},\"nbformat\":3,\"nbformat_minor\":0,\"worksheets\":[{\"cells\":[{\"cell_type\":\"heading\",\"level\":2,\"metadata\":{},\"source\":[\"Old\"]}," \
		"{\"cell_type\":\"code\",\"collapsed\":false,\"input\":[\"print 1\\n\",\"2\"],\"language\":\"python\",\"metadata\":{},\"outputs\":[{\"output_type\":\"stream\",\"stream\":\"stdout\",\"text\":[\"1\\n\"]}," \
		"{\"output_type\":\"pyout\",\"prompt_number\":1,\"text\":[\"2\"],\"metadata\":{}},{\"output_type\":\"pyerr\",\"ename\":\"E\",\"evalue\":\"v\",\"traceback\":[\"t\"]}," \
		"{\"output_type\":\"display_data\",\"png\":\"aGVsbG8=\\n\",\"metadata\":{}}],\"prompt_number\":1}],\"metadata\":{}}]}" > old.ipynb &&
	leat notebook convert old.ipynb new.ipynb && eq "$(json new.ipynb "d[\"cells\"][0][\"source\"]")" "[\"## Old\"]" && eq "$(json new.ipynb "d[\"cells\"][1][\"execution_count\"]")" 1 &&
	eq "$(json new.ipynb "[o[\"output_type\"] for o in d[\"cells\"][1][\"outputs\"]]")" "[\"stream\", \"execute_result\", \"error\", \"display_data\"]" &&
	eq "$(json new.ipynb "d[\"cells\"][1][\"outputs\"][3][\"data\"]")" "{\"image/png\": \"aGVsbG8=\\n\"}"
'
test_expect 'cells of the old form (# <codecell>) are read, and written with --to codecell' '
	printf "%s\n" "# -*- coding: utf-8 -*-" "# <nbformat>3.0</nbformat>" "" "# <codecell>" "" "x = 1" "" "# <markdowncell>" "" "# text" "# more" > old.py &&
	leat notebook convert old.py --to py > new.py && eq "$(<new.py)" "# %%
x = 1

# %% [markdown]
# text
# more" && leat notebook convert new.py --to codecell | cmp - old.py
'
if has_module nbformat; then
	test_expect 'nbformat finds what is written valid, would write the same bytes, and upgrades the old one to the same' '
		python3 "$JUDGE" nbformat a.ipynb && python3 "$JUDGE" nbformat new.ipynb && python3 "$JUDGE" upgrade old.ipynb new.ipynb
	'
else
	test_skip 'nbformat finds what is written valid, would write the same bytes, and upgrades the old one to the same' 'nbformat (PyPI) is not installed'
fi
if has_module jupytext; then
	test_expect 'Jupytext reads the same cells in the Python that is written' 'python3 "$JUDGE" jupytext a.py a.ipynb'
else
	test_skip 'Jupytext reads the same cells in the Python that is written' 'jupytext (PyPI) is not installed'
fi
test_expect 'what cannot be: no notebook by its name, another format, JSON that is torn, a file that is there' '
	echo x > a.txt && exits 2 leat notebook convert a.txt 2> err && has err "a.txt is no notebook by its name" "# %%" &&
	printf "{\"nbformat\": 9, \"cells\": []}" > n9.ipynb && exits 1 leat notebook convert n9.ipynb 2> err && has err "n9.ipynb:1:14: a notebook of format 9" "older than the notebook" &&
	printf "{\"nbformat\": 4,\n \"cells\": [{\"cell_type\": \"code\", \"source\": 3}]}" > bad.ipynb && exits 1 leat notebook convert bad.ipynb 2> err && has err "bad.ipynb:2:" "\`source\` of a cell is a whole number" &&
	printf "{\"nbformat\": 4," > torn.ipynb && exits 1 leat notebook convert torn.ipynb 2> err && has err "torn.ipynb:1:" && exits 1 leat notebook convert a.py a.ipynb 2> err && has err "is there already" "--force" &&
	exits 2 leat notebook convert a.py --to pdf 2> err && has err "--to pdf is no form" && exits 2 leat notebook turn a.py 2> err && has err "does not know turn"
'
test_done
