#!/usr/bin/env bash
# leat init, leat.yaml, LEAT__SECTION__KEY, doctor.
. "$(dirname "$0")/../lib.sh"

test_expect 'init makes a workspace here, or in a folder it makes, and a second one is refused' '
	mkdir here && cd here && leat init > out && has out "made a workspace" && test -f leat.yaml && test -f .leat/leat.db && test -d jobs &&
	cd .. && leat init deep/er/ws && test -f deep/er/ws/leat.yaml && exits 2 leat init here 2> err && has err "workspace already" "leat status"
'
test_expect 'the name is the folder, or what --name says, and any folder name will do' '
	leat init "my shop (2024)" && cd "my shop (2024)" && leat config name --json > out && eq "$(json out "d[\"value\"]")" my-shop--2024- &&
	cd .. && leat init n2 --name shop && leat -C n2 config name --json > out && eq "$(json out "d[\"value\"]")" shop
'
test_expect 'leat.yaml as init writes it holds the name, and every other setting as a comment with its text' '
	workspace y && python3 -c "
import re
t = open(\"leat.yaml\").read()
live = [l for l in t.split(\"\n\") if l and not l.startswith(\"#\")]
assert live == [\"name: y\"], live
for k in (\"timezone\", \"zones\", \"tables\", \"pools\", \"slots\", \"protect\", \"durability\", \"memo_keep\"):
    assert re.search(r\"^# %s:\" % k, t, re.M), k"
'
test_expect 'init writes a .gitignore: code in git, data not; what stands there stays' '
	mkdir g && cd g && printf "*.pyc" > .gitignore && git init -q . 2>/dev/null; leat init && has .gitignore "*.pyc" "/.leat/" "/datastore/" &&
	eq "$(head -1 .gitignore)" "*.pyc" && echo 1 > f && leat put raw/x f &&
	if command -v git > /dev/null; then git status --porcelain -uall > out && has out leat.yaml && lacks out .leat/ datastore/; fi
'
test_expect 'a clone with leat.yaml and no store is made whole by init, and its leat.yaml stays' '
	mkdir c && cd c && echo "name: cloned" > leat.yaml && exits 2 leat ls 2> err && has err "leat init" && leat init && leat ls &&
	eq "$(cat leat.yaml)" "name: cloned"
'
test_expect 'config shows every setting with its value and whether it was set; one by its name; a wrong name gets the right one' '
	cd y && leat config --json > out && eq "$(json out "{r[\"setting\"]: r[\"from\"] for r in d}[\"name\"]")" set &&
	eq "$(json out "{r[\"setting\"]: r[\"value\"] for r in d}[\"timezone\"]")" UTC &&
	count 1 leat config durability --json && exits 2 leat config durabilty 2> err && has err durability
'
test_expect 'LEAT__SECTION__KEY in the environment overrides a setting, nested ones too' '
	cd y && LEAT__TIMEZONE=Europe/Paris leat config timezone --json > out && eq "$(json out "d[\"value\"]")" Europe/Paris &&
	LEAT__POOLS__PG=3 leat config pools --json > out && eq "$(json out "d[\"value\"][\"pg\"]")" 3 &&
	LEAT__ZONES="[raw, gold]" leat config zones --json > out && eq "$(json out "d[\"value\"]")" "[\"raw\", \"gold\"]" &&
	leat config timezone --json > out && eq "$(json out "d[\"value\"]")" UTC
'
test_expect 'a wrong override names its variable, with exit 2' '
	cd y && exits 2 env LEAT__DURABILITY=sometimes "$LEAT_BIN" ls 2> err && has err LEAT__DURABILITY power process &&
	exits 2 env LEAT__TIMEZON=UTC "$LEAT_BIN" ls 2> err && has err LEAT__TIMEZON timezone &&
	exits 2 env LEAT__TIMEZONE=Mars/Phobos "$LEAT_BIN" ls 2> err && has err Mars/Phobos
'
test_expect 'a broken leat.yaml is refused with file, line and column, and the nearest key' '
	workspace br && printf "name: br\nslotz: 3\n" > leat.yaml && exits 2 leat ls 2> err && has err "leat.yaml:2:1" slots &&
	printf "name: br\nzones: [raw\n" > leat.yaml && exits 2 leat ls 2> err && has err "leat.yaml:" &&
	printf "name: br\nslots: many\n" > leat.yaml && exits 2 leat ls 2> err && has err "leat.yaml:2:8" &&
	printf "name: br\nname: two\n" > leat.yaml && exits 2 leat ls 2> err && has err "leat.yaml:2" &&
	printf "name: br\r\nslots: 2\r\n" > leat.yaml && leat config slots --json > out && eq "$(json out "d[\"value\"]")" 2
'
test_expect 'doctor names versions, disk, fsync, cgroups, namespaces and what to install for what is missing' '
	cd y && leat doctor --json > out && python3 -c "
import json
rows = {r[\"what\"]: r for r in map(json.loads, open(\"out\"))}
for w in (\"leat\", \"sqlite\", \"duckdb\", \"workspace\", \"disk\", \"fsync\", \"cgroups\", \"mount namespaces\", \"libcurl\"):
    assert w in rows, w
for r in rows.values():
    assert r[\"state\"] == \"ok\" or r[\"hint\"], r" &&
	cd / && leat doctor > "$TRASH/out" && has "$TRASH/out" "leat init"
'
test_expect 'config path --here keeps the PATH of this shell for tasks' '
	cd y && PATH=/opt/mine:$PATH leat config path --here 2> err && has err PATH && exits 2 leat config name --here 2> err && has err path &&
	leat config path --json > out && case $(json out "d[\"value\"]") in /opt/mine:*) ;; *) false ;; esac
'
test_expect 'a run of Python where the shell has another python3 now says so; --here, path: and other jobs are quiet' '
	workspace py && mkdir jobs/p other && printf "kind: script\noutput: raw/p\npartition: none\n" > jobs/p/job.yaml && sed "s/raw.p/raw\/s/" jobs/p/job.yaml > s.yaml && mkdir jobs/s && mv s.yaml jobs/s/job.yaml &&
	echo "import os; open(os.environ[\"LEAT_OUTPUT\"] + \"/f\", \"w\").write(\"1\")" > jobs/p/job.py && echo "echo 1 > \$LEAT_OUTPUT/f" > jobs/s/job.sh &&
	ln -s "$(command -v python3)" other/python3 && leat run p 2> err && lacks err "python3 here" &&
	PATH=$PWD/other:$PATH leat run s 2> err && lacks err "python3 here" &&
	PATH=$PWD/other:$PATH leat run p --again 2> err && has err "python3 here is" "other/python3" "leat config path --here" &&
	echo "path: $PATH" >> leat.yaml && PATH=$PWD/other:$PATH leat run p --again 2> err && lacks err "python3 here" &&
	sed -i "/^path:/d" leat.yaml && PATH=$PWD/other:$PATH leat config path --here && PATH=$PWD/other:$PATH leat run p --again 2> err && lacks err "python3 here"
'
test_expect 'the JSON Schema of job.yaml and leat.yaml are JSON and know the keys' '
	cd y && leat config --schema job > out && eq "$(json out "\"partition\" in json.dumps(d) and \"checks\" in json.dumps(d)")" true &&
	leat config --schema workspace > out && eq "$(json out "\"durability\" in json.dumps(d)")" true && exits 2 leat config --schema x 2> err && has err workspace
'
test_expect 'the JSON Schema asks for url of a download, and of no other job' '
	cd y && leat config --schema job > out && eq "$(json out "d.get(\"required\", [])")" "[]" &&
	eq "$(json out "[r[\"if\"][\"properties\"][\"kind\"][\"const\"] for r in d[\"allOf\"] if \"url\" in r[\"then\"].get(\"required\", [])]")" "[\"download\"]"
'
test_done
