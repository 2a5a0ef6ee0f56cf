#!/usr/bin/env bash
# A process that dies at a step of the first write on a workspace branch, or of its end: all of it or nothing (SEMANTICS 7).
. "$(dirname "$0")/../lib.sh"
needs_faults
needs python3

rows() { python3 -c "import sqlite3, sys; print(sqlite3.connect('.leat/leat.db').execute(sys.argv[1]).fetchone()[0])" "$1"; }

test_expect 'a workspace with two repos and a branch that has written neither' '
	workspace w && echo 1 > one && echo 2 > two && leat put raw/a:/x one && leat put raw/b:/x one && leat branch fix
'
for point in ingest-synced overlay-base commit-made; do
	test_expect "death at $point of a first write leaves no base, no branch and no commit; the same put then succeeds" "
		cd w && n=\$(rows 'select count(*) from commits') && dies_at $point leat put raw/a:/$point two --on fix && leat fsck && eq \"\$(rows 'select count(*) from workspace_base')\" \"\$(rows \"select count(*) from branch where name = 'fix'\")\" &&
		eq \"\$(rows 'select count(*) from commits')\" \$n && exits 1 leat cat raw/a:/$point --on fix && leat put raw/a:/$point two --on fix && leat cat raw/a:/$point --on fix | cmp - two && exits 1 leat cat raw/a:/$point && leat branch --delete fix && leat branch fix
	"
done
test_expect 'death at overlay-base of a repo that the branch makes: the repo is nowhere, and can be made on master' '
	cd w && dies_at overlay-base leat put raw/new:/x two --on fix && leat ls --on fix > ../out && lacks ../out raw/new && leat fsck && leat put raw/new:/x one && leat cat raw/new:/x | cmp - one
'
for point in overlay-taken-away commit-dropped; do
	test_expect "death at $point of its end leaves the branch whole; then it ends" "
		cd w && leat put raw/b:/y two --on fix && leat put raw/own:/y two --on fix && dies_at $point leat branch --delete fix && leat fsck && leat cat raw/b:/y --on fix | cmp - two && leat cat raw/own:/y --on fix | cmp - two && leat branch --delete fix && exits 1 leat ls --on fix && leat gc && leat fsck && leat branch fix
	"
done
test_expect 'death at each step of a publish on it: no head or all; the next run completes it, master is as it was' '
	mkdir -p jobs && workspace r && printf "id\n1\n" > f && leat put raw/a:/ds=2024-01-01/a.csv f && mkdir -p jobs/one && printf "kind: sql\ninputs: {a: raw/a}\noutput: tables/one\npartition: daily\n" > jobs/one/job.yaml && echo "select id from {{ inputs.a }}" > jobs/one/job.sql && leat run && leat ls --json > ../heads && leat branch fix &&
	for p in publish-recorded overlay-base publish-head-moved publish-before-commit publish-committed; do
		echo "select id, '"'"'$p'"'"' as p from {{ inputs.a }}" | tr "\"" "\047" > jobs/one/job.sql && dies_at $p leat run --on fix && leat fsck && leat ls --json > ../now && same ../heads ../now && leat run --on fix && eq "$(leat sql "select p from tables.one" --on fix --format csv | tail -1)" $p && leat ls --json > ../now && same ../heads ../now && leat branch --delete fix && leat branch fix || return 1
	done
'
test_done
