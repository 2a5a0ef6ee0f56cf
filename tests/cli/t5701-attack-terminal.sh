#!/usr/bin/env bash
# Names and values of others must not steer the terminal; output that cannot be written is a failure; a clock that is
# asked for must be there.
. "$(dirname "$0")/../lib.sh"

esc=$(printf '\033')
raw() { # FILE: holds no control byte but line ends and tabs
	! LC_ALL=C grep -q "$(printf '[\001-\010\013-\037\177]')" "$1" || { cat -v "$1"; return 1; }
}

test_expect 'a workspace' '
	workspace w && echo "a,b" > t.csv && leat put raw/t t.csv
'
test_expect 'a table shows control characters of values and of names of columns as escapes, on one line' '
	cd w && leat sql "select chr(27)||$(printf "\x27[31mred\x27") a, chr(7) b, chr(155) c, 1 as \"x${esc}[31m
y\"" > out && raw out && has out "\\x1b[31mred" "\\x07" "\\x9b" "x\\x1b[31m\\ny" && eq "$(wc -l < out)" 3 &&
	leat plot "select chr(27)||chr(10)||$(printf "\x27x\x27") a, 1 b" > out && raw out && has out "\\x1b\\nx" && eq "$(wc -l < out)" 1
'
test_expect 'CSV and JSON hold the bytes as they are' '
	cd w && leat sql "select chr(27) a" --format csv > out && eq "$(sed 1d out)" "$esc"
'
test_expect 'messages hold no control character that the user or the data brought in' '
	cd w && for words in "ls ${esc}[31m" "run ${esc}[31m" "${esc}[31m" "-C ${esc}[31m ls" "ls raw/t@${esc}x" "put raw/t ${esc}[31m" "why ${esc}[3" "logs ${esc}[3" "new sql ${esc}[3" "--${esc}" "ls --${esc}" "help ${esc}"; do
		got=0; leat $words > out 2> err || got=$?; [ $got -gt 0 ]; raw out; raw err
	done
	exits 1 leat sql "select error(chr(27)||$(printf "\x27[31m\x27"))" 2> err; raw err
'
test_expect 'a file name with a control character is not adopted from datastore/, but named; the others are' '
	cd w && mkdir -p datastore/raw/t && touch "datastore/raw/t/a${esc}[31m" "datastore/raw/t/$(printf "lat\351in")" && echo 1 > datastore/raw/t/good.csv &&
	leat status > out && raw out && leat commit > out 2> err && has err "control character" "no UTF-8" && raw err &&
	leat ls raw/t > out && raw out && has out good.csv && eq "$(wc -l < out)" 2 && rm -f datastore/raw/t/a* datastore/raw/t/lat* && leat fsck
'
test_expect 'a pin that is not there is named as such, not the repo' '
	cd w && exits 1 leat sql "from raw.t at (version => $(printf "\x27nope\x27"))" 2> err && has err "raw/t has no branch, tag or commit" && lacks err "there is no repo"
'
for op in --version --help 'ls --help' ls 'sql select/**/1' status; do
	test_expect "'leat $op' to a full device or a closed output ends with exit 1 and a sentence" "
		cd w && exits 1 leat $op > /dev/full 2> err && has err 'standard output' && exits 1 leat $op >&- 2> err && has err 'standard output'
	"
done
test_expect 'a virtual clock that is not there or holds no time stops every command' '
	cd w && export LEAT_CLOCK=$TRASH/nowhere && got=0 && { leat status 2> err || got=$?; } && [ $got -gt 0 ] && has err LEAT_CLOCK &&
	LEAT_CLOCK=$TRASH/clock && echo garbage > $TRASH/clock && exits 2 leat status 2> err && has err LEAT_CLOCK &&
	echo 2020-01-01T00:00:00Z > $TRASH/clock && leat status; got=$?; unset LEAT_CLOCK; eq $got 0
'
test_expect 'one broken job file leaves no plan that says there is nothing to run' '
	cd w && mkdir -p "jobs/sp ace" && touch "jobs/sp ace/job.sql" && exits 2 leat plan > out 2> err && lacks out "nothing to run" && has err "sp ace" && leat jobs 2> err && lacks err ":0:0"
'
test_done
