#!/usr/bin/env bash
# Templates of one's own: folders in templates/ of the workspace, of leat's form or of dsflow's.
. "$(dirname "$0")/../lib.sh"

workspace w > /dev/null 2>&1 || exit 1
mkdir -p templates/report/steps templates/dump_url templates/no_template
cat > templates/report/template.yaml <<'END'
text: a monthly report
job_name_prefix: report
values:
  title: {text: What it is called, type: prompt}
  loud: {text: Whether in capitals, type: confirm}
  output: {text: where to, type: repo, default: marts/DATASET}
mkdir:
  - reports/{{ dataset }}
  - datastore:/raw/x
next: leat run NAME
END
cat > templates/report/job.yaml <<'END'
kind: script
description: {{ title | json }}
output: {{ output }}
params: {title: {{ title | json }}}
END
printf '#!/bin/sh\necho "{%% raw %%}{{ not ours }}{%% endraw %%}" > "$LEAT_OUTPUT/{{ name }}.txt"\n{%% if loud %%}echo LOUD >> "$LEAT_OUTPUT/{{ name }}.txt"\n{%% endif %%}' > templates/report/job.sh
echo '{% if loud %}loud{% endif %}' > 'templates/report/steps/{{ dataset }}.txt'
# dsflow's form, written for this test
cat > templates/dump_url/template_specs.yaml <<'END'
version: '0.1'
job_name_prefix: dump
template_parameters:
  - name: source_url
    type: prompt
    text: Which URL
  - name: twice
    type: confirm
    text: "Twice?"
mkdir:
  - "datastore:/raw/{{ dataset_name }}"
END
cat > templates/dump_url/job_specs.yaml.j2 <<'END'
version: '0.1'
description: Dump {{ dataset_name }}
class: CommandLineTool
image: ""
script: {{ job_name }}.sh
job_parameters:
  - ds
task_specs:
  source_path: "{{ source_url }}"
  sink_path: "/data/raw/{{ dataset_name }}/ds={% raw %}{{ ds }}{% endraw %}"
  ds: "{% raw %}{{ ds }}{% endraw %}"
END
cat > templates/dump_url/script.sh.j2 <<'END'
#!/bin/sh
mkdir -p "$2" && cd "$2" && echo "ds,from" > dump.csv && echo "$DS,$1" >> dump.csv
{% if twice %}echo "$DS,again" >> dump.csv{% endif %}
END
printf '# %s\n' '{{ job_name }}' > templates/dump_url/README.md.j2
mkdir -p templates/table_nb && cat > templates/table_nb/template_specs.yaml <<'END'
version: '0.1'
job_name_prefix: create-table
END
cat > templates/table_nb/job_specs.yaml.j2 <<'END'
version: '0.1'
description: Table {{ dataset_name }}
class: JupyterNotebook
image: ""
script: {{ job_name }}.ipynb
job_parameters:
  - ds
task_specs:
  source_path: "/data/raw/{{ dataset_name }}/ds={% raw %}{{ ds }}{% endraw %}"
  sink_path: "/data/tables/{{ dataset_name }}/ds={% raw %}{{ ds }}{% endraw %}"
  ds: "{% raw %}{{ ds }}{% endraw %}"
END
cat > templates/table_nb/notebook.py.j2 <<'END'
# <markdowncell>

# Table {{ dataset_name }}

# <codecell>

import json, os, shutil
specs = json.loads(os.environ["TASK_SPECS"])

# <codecell>

shutil.copy(specs["source_path"] + "/dump.csv", specs["sink_path"] + "/part.csv")
END
cd ..

test_expect 'they are listed beside those of the program; a folder without a description is none' '
	cd w && leat new > out && has out "report" "a monthly report" "dump_url" "download_file" && lacks out no_template && mkdir -p sub && (cd sub && leat new > ../out2) && same out out2
'
test_expect 'values go into files and their names; what is raw is left for the run; a file that comes out empty is not made' '
	cd w && leat new report june --set "title=\"June\": sales" --set loud=yes > out && has out "made jobs/june" && has jobs/june/job.yaml "June" "output: marts/june" && has jobs/june/job.sh "{{ not ours }}" && test -x jobs/june/job.sh && has jobs/june/steps/june.txt loud && test -d reports/june && test ! -e datastore/raw/x &&
	leat run june && leat cat marts/june:/june.txt > out && has out "{{ not ours }}" LOUD && leat new report july --set title=July && test ! -e jobs/july/steps && exits 1 grep -q LOUD jobs/july/job.sh && has jobs/july/README.md "a monthly report"
'
test_expect 'what has no default must be given; new takes the name as it is, generate-job puts the prefix before it' '
	cd w && exits 2 leat new report may 2> err && has err "needs a value for" title && test ! -e jobs/may && leat generate-job report may --set title=May > out && has out "jobs/report-may" && has jobs/report-may/job.yaml "output: marts/may"
'
test_expect 'a dsflow template gives a job that runs: its script, with ds bound by the run' '
	cd w && leat generate-job dump_url cars --set source_url=http://127.0.0.1:9/x --set twice=y > out 2> err && has out "jobs/dump-cars" && leat run dump-cars 2017-11-09 && leat cat raw/cars:/ds=2017-11-09/dump.csv > out && has out "2017-11-09,http://127.0.0.1:9/x" "2017-11-09,again" && has jobs/dump-cars/README.md "# dump-cars" && eq "$(ls .leat/staging | grep -c new-)" 0
'
test_expect 'one of a notebook in cells gives a notebook that runs' '
	cd w && leat generate-job table_nb cars && python3 -c "
import json
n = json.load(open(\"jobs/create-table-cars/create-table-cars.ipynb\"))
assert n[\"nbformat\"] == 4 and [c[\"cell_type\"] for c in n[\"cells\"]] == [\"markdown\", \"code\", \"code\"]" && leat run create-table-cars 2017-11-09 && leat sql "select count(*) n from tables.cars" > out && has out 2
'
test_expect 'a template of yours goes before one of ours of the same name' '
	cd w && mkdir templates/script && echo "text: ours is not this" > templates/script/template.yaml && echo "select 1 as one" > templates/script/job.sql && leat new script mine && test -e jobs/mine/job.sql && rm -r templates/script
'
test_expect 'a template that is wrong is told with its place, and makes nothing' '
	cd w && mkdir templates/bad && printf "text: x\nvalues:\n  a: {type: choose}\n" > templates/bad/template.yaml && exits 2 leat new 2> err && has err "templates/bad/template.yaml:3" choose &&
	printf "text: x\nvalues:\n  name: {}\n" > templates/bad/template.yaml && exits 2 leat new bad x --set name=1 2> err && has err "asks for no" && printf "text: x\n" > templates/bad/template.yaml && exits 2 leat new bad x 2> err && has err "no files" &&
	echo "{{ nobody }}" > templates/bad/job.sql && exits 2 leat new bad x 2> err && has err nobody && rm templates/bad/job.sql && mkdir -p "templates/bad/workspace" && echo x > "templates/bad/workspace/{{ up }}" && printf "text: x\nvalues: {up: {default: ../../out}}\n" > templates/bad/template.yaml && exits 2 leat new bad x 2> err && test ! -e jobs/x && test ! -e ../out && rm -r templates/bad
'
test_done
