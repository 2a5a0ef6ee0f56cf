# tests/fault/lib-run.sh: what the fault tests of running share: a small pipeline, and what must always be true of it.

# A template workspace: two scripts and a query in one pipeline, three days. What each day must give is known.
make_pipeline() { # DIR
	leat init "$1" && (
		cd "$1" && mkdir -p jobs/one jobs/two jobs/three &&
			printf 'kind: script\npartition: daily\noutput: raw/one\npipeline: p\nparams: {v: 1}\n' >jobs/one/job.yaml &&
			printf '#!/bin/sh\nprintf "n\\n%%s\\n" "${DS#2018-01-0}" >"$LEAT_OUTPUT/a.csv"; echo "$DS" >"$LEAT_OUTPUT/b.txt"; echo made\n' >jobs/one/job.sh &&
			printf 'kind: script\npartition: daily\noutput: raw/two\npipeline: p\ninputs: {one: raw/one}\n' >jobs/two/job.yaml &&
			printf '#!/bin/sh\nmkdir "$LEAT_OUTPUT/d" && cp "$LEAT_INPUT_one/b.txt" "$LEAT_OUTPUT/d/b.txt" && cp "$LEAT_INPUT_one/a.csv" "$LEAT_OUTPUT/t.csv"\n' >jobs/two/job.sh &&
			if [ "${WITH_SQL:-1}" = 1 ]; then
				printf 'kind: sql\npartition: daily\noutput: tables/three\npipeline: p\nchecks: [row_count = 1]\n' >jobs/three/job.yaml &&
					echo 'select n + 100 as n from raw.two' >jobs/three/job.sql
			else rmdir jobs/three; fi
	)
}
repos() { [ "${WITH_SQL:-1}" = 1 ] && echo raw/one raw/two tables/three || echo raw/one raw/two; }
last_job() { [ "${WITH_SQL:-1}" = 1 ] && echo three || echo two; }

days() { echo "${DAYS:-1 2 3}"; }

# Nothing half is visible: each day is in all tables or in none, whole; the store is sound. What is visible lies in got/.
consistent() {
	local d r n
	rm -rf got && mkdir got || return 1
	for r in $(repos); do leat get "$r" -o "got/${r/\//-}" >/dev/null 2>&1; done
	for d in $(days); do
		n=0
		for r in $(repos); do [ -z "$(ls -A "got/${r/\//-}/ds=2018-01-0$d" 2>/dev/null)" ] || n=$((n + 1)); done
		[ $n = 0 ] || [ $n = "$(repos | wc -w)" ] || { echo "day $d is in $n tables"; return 1; }
		if [ $n -gt 0 ]; then
			eq "$(<"got/raw-one/ds=2018-01-0$d/b.txt")" "2018-01-0$d" && eq "$(<"got/raw-two/ds=2018-01-0$d/d/b.txt")" "2018-01-0$d" || return 1
		fi
	done
	leat fsck >fsck.out 2>&1 || { cat fsck.out; return 1; }
}

# A re-run ends right: all days are there, in datastore/ too, one version each, and nothing of the dead is left.
ends_right() {
	local d r last=${DAYS:-1 2 3}
	leat run "$(last_job)" "2018-01-01..2018-01-0${last##* }" -u >run.out 2>&1 || { cat run.out; return 1; }
	consistent || return 1
	for d in $(days); do
		for r in $(repos); do [ -n "$(ls -A "datastore/$r/ds=2018-01-0$d")" ] || { echo "datastore/$r lacks day $d"; return 1; }; done
		same "got/raw-one/ds=2018-01-0$d/a.csv" "datastore/raw/one/ds=2018-01-0$d/a.csv" || return 1
	done
	for r in $(repos); do [ -n "${LOOSE:-}" ] || eq "$(leat log "$r" --json | grep -o '"message"' | wc -l)" "$(days | wc -w)" || return 1; done
	leat plan --json >plan.out && eq "$(grep -c '"reason"' plan.out)" 0 || return 1
	[ -z "$(find .leat/staging -mindepth 2 2>/dev/null | head -1)" ] || { find .leat/staging -mindepth 2; return 1; }
	leat runs --json >runs.out && lacks runs.out '"state":"running"'
}
