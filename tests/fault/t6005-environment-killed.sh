#!/usr/bin/env bash
# A Python environment that is whole, and whose maker is killed before it has its name: it is made anew, never taken.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-env.sh"
needs_faults

test_expect 'killed between the making and the name: the run after it takes nothing of that, and makes one' '
	workspace w && wheel wheels tiny 1.0 && script uses "import os, tiny
open(os.environ[\"LEAT_OUTPUT\"] + \"/v\", \"w\").write(tiny.VERSION)" "environment: requirements.txt" && requires uses tiny 1.0 &&
	{ LEAT_CRASH_AT=environment-made "$LEAT_BIN" run uses 2>err; eq $? 137; } && has err "building environment" && envs | grep "[.]new$" && exits 1 leat ls raw/uses &&
	leat run uses 2>err && has err "building environment" && eq "$(leat cat raw/uses:/v)" 1.0 && ! envs | grep "[.]new$" && leat fsck
'
test_done
